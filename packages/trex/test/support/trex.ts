import { type SpawnOptions, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'

/** The program, as it is installed. */
export const main = fileURLToPath(new URL('../../bin/trex.cjs', import.meta.url))

/** What a process of the command line did. */
export interface Outcome {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs the compiled `trex` in a process of its own, on one thread; `onStderr` sees all it has said so far. */
export function trex(
  args: readonly string[],
  {
    env = {},
    cwd,
    onStderr,
  }: { env?: NodeJS.ProcessEnv; cwd?: string; onStderr?: (text: string, kill: Kill) => void } = {},
): Promise<Outcome> {
  if (!existsSync(main)) throw new Error(`there is no ${main}: build it with npx tsc -b`)
  const options: SpawnOptions = {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, OMP_NUM_THREADS: '1', ...env },
    ...(cwd !== undefined && { cwd }),
  }
  const child = spawn(process.execPath, [main, ...args], options)
  const said = { stdout: '', stderr: '' }
  child.stdout!.on('data', (text) => {
    said.stdout += text
  })
  child.stderr!.on('data', (text) => {
    said.stderr += text
    onStderr?.(said.stderr, (signal) => child.kill(signal))
  })
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('close', (status) => done({ status, ...said }))
  })
}

/** Sends a signal to the running process. */
export type Kill = (signal: NodeJS.Signals) => void

/** The flags of a run that takes a second or two. */
export const TINY = [
  ...['--recipe', 'supervised', '--encoder', 'resnet18', '--image-size', '16', '--batch-size', '4'],
  ...['--epochs', '1', '--warmup-epochs', '0', '--workers', '1', '--set', 'stem=imagenet'],
  ...['--precision', 'fp32', '--device', 'cpu'],
]

/** Writes `perClass` small PNG files in each of `classes` class folders of `root`. */
export async function makeImages(root: string, { classes = 2, perClass = 6 } = {}): Promise<string> {
  for (let kind = 0; kind < classes; kind++) {
    const folder = join(root, `class${kind}`)
    await mkdir(folder, { recursive: true })
    for (let i = 0; i < perClass; i++) {
      const background = { r: 60 + 40 * kind, g: 20 * i, b: 200 - 30 * kind }
      await sharp({ create: { width: 20, height: 20, channels: 3, background } })
        .png()
        .toFile(join(folder, `${i}.png`))
    }
  }
  return root
}
