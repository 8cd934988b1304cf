import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { TrexError } from '../errors.js'

/**
 * Lets `make` write into a folder beside `out`, and puts what it wrote in place when it is done: the folder itself as
 * `out`, or with `files` these of it into the folder of `out`, the last one last. Whatever fails, nothing new is seen;
 * the files of an older export stay until then. Two processes do not write the
 * same place at once.
 * @throws TrexError when something is there already and `force` is not given, or the place cannot be written.
 */
export async function publish<T>(
  out: string,
  { files, force }: { files?: readonly string[]; force: boolean },
  make: (folder: string) => Promise<T> | T,
): Promise<T> {
  const place = resolve(out)
  const parent = dirname(place)
  const targets = files ? files.map((name) => join(parent, name)) : [place]
  for (const target of targets) attempt(out, () => refuseExisting(target, files !== undefined, force))
  const prefix = `.${basename(place)}.`
  const staging = join(parent, `${prefix}${randomBytes(6).toString('hex')}.tmp`)
  const clear = () => rmSync(staging, { recursive: true, force: true })
  process.once('exit', clear) // where the program ends at once, as by Ctrl-C
  try {
    attempt(out, () => removeStale(parent, prefix))
    attempt(out, () => mkdirSync(staging, { recursive: true }))
    const result = await make(staging)
    attempt(out, () => {
      if (files) for (const [i, name] of files.entries()) renameSync(join(staging, name), targets[i]!)
      else replaceFolder(staging, place)
    })
    return result
  } catch (error) {
    throw readable(out, error)
  } finally {
    process.off('exit', clear)
    clear()
  }
}

/** Removes what a killed export to the same place has left. */
function removeStale(parent: string, prefix: string): void {
  if (!existsSync(parent)) return
  for (const name of readdirSync(parent))
    if (name.startsWith(prefix) && /^[0-9a-f]{12}\.tmp(\.old)?$/.test(name.slice(prefix.length)))
      rmSync(join(parent, name), { recursive: true, force: true })
}

function refuseExisting(target: string, isFile: boolean, force: boolean): void {
  const stats = statSync(target, { throwIfNoEntry: false })
  if (!stats) return
  if (isFile && !stats.isFile())
    throw new TrexError(`${target} is there already, and is no file`, { hint: 'choose another --out' })
  if (!isFile && !stats.isDirectory())
    throw new TrexError(`${target} is there already, and is no folder`, { hint: 'choose another --out' })
  const others = isFile ? [] : readdirSync(target).filter((name) => !EXPORTED.has(name))
  if (others.length)
    throw new TrexError(`${target} is there already, and holds more than an export: ${others[0]}`, {
      hint: 'choose another --out',
    })
  if (!force)
    throw new TrexError(`${target} is there already`, {
      hint: 'choose another --out, or replace it with --force',
    })
}

/** What folders of exports hold; one with anything else is not replaced. */
const EXPORTED = new Set([
  ...['README.md', 'config.json', 'preprocessor_config.json', 'onnx', '.gitattributes'],
  ...['model.safetensors', 'model.pth', 'model.onnx', 'model.verify.json'],
])

/** No system call exchanges folders everywhere: for a moment there is none. */
function replaceFolder(staging: string, place: string): void {
  if (!existsSync(place)) return void renameSync(staging, place)
  const old = `${staging}.old`
  renameSync(place, old)
  try {
    renameSync(staging, place)
  } catch (error) {
    renameSync(old, place)
    throw error
  }
  rmSync(old, { recursive: true })
}

function attempt(out: string, act: () => void): void {
  try {
    act()
  } catch (error) {
    throw readable(out, error)
  }
}

/** What the system said, under the name that the user gave; other errors as they are. */
function readable(out: string, error: unknown): unknown {
  if (error instanceof TrexError) return error
  const system = [error, (error as Error).cause].find((one) => one instanceof Error && 'syscall' in one)
  if (!system) return error
  return new TrexError(`${out} cannot be written: ${(system as Error).message}`, {
    hint: 'choose another --out, or free some space',
    cause: error,
  })
}
