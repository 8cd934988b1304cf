import { type ChildProcess, fork, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HostileModel } from './hostileModels/hostileModel.js'
import { hostileModels } from './hostileModels/index.js'
import { pythonWith } from './support/python.js'

// 300 files, each read by `trex import --inspect` and `trex import` (settings: by resolveSettings) in child processes.

const MOST_SECONDS = 2 // of its processor's time: other programs do not count
const HANGS_MS = 30_000
const FREE_KIB = 64 * 1024
/** After a file that took so much the next one gets a process of its own: memory that is held already is not seen. */
const DIRTY_KIB = 8 * 1024
const LEAST = { pth: 120, safetensors: 60, npz: 40, onnx: 40, config: 40 }

const root = mkdtempSync(join(tmpdir(), 'trex-hostile-models-'))
const marker = join(root, 'EXECUTED')
const folder = join(root, 'files')
mkdirSync(folder)
let server: Server
let calls = 0
let files: HostileModel[] = []
let child: ChildProcess | undefined

beforeAll(async () => {
  server = createServer((socket) => {
    calls++
    socket.destroy()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as { port: number }
  files = hostileModels({ marker, port })
})
afterAll(() => {
  leave()
  server.close()
  rmSync(root, { recursive: true })
})

interface Result {
  readonly step: 'inspect' | 'import' | 'resolve'
  readonly said: { name: string; message: string; length: number; hint?: string; ours: boolean } | null
  readonly seconds: number
  readonly kib: number
}

const reader = fileURLToPath(new URL('hostileModels/reader.mjs', import.meta.url))

async function started(): Promise<ChildProcess> {
  const env = { ...process.env, TREX_ENGINE: '/no/engine.json' }
  const options = {
    cwd: folder,
    env,
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'] as const,
  }
  const process_ = fork(reader, [], { ...options, stdio: [...options.stdio] })
  await new Promise((done) => process_.once('message', done))
  return process_
}

function leave(): void {
  child?.removeAllListeners()
  child?.kill('SIGKILL')
  child = undefined
}

/** What the child made of a file; a child that dies or hangs is an error. */
async function read(job: { id: number; path: string; kind: string; out: string }): Promise<Result[]> {
  child ??= await started()
  const running = child
  return new Promise((done, fail) => {
    const end = (error?: Error, results?: Result[]) => {
      clearTimeout(timer)
      running.removeAllListeners('message')
      running.removeAllListeners('exit')
      if (error) {
        leave()
        fail(error)
      } else done(results!)
    }
    let step = ''
    const timer = setTimeout(() => end(new Error(`it hangs in ${step}`)), HANGS_MS)
    running.on('exit', (code, signal) => end(new Error(`the process ended in ${step}: ${code ?? signal}`)))
    running.on('message', (message: { step?: string; results?: Result[]; polluted?: boolean }) => {
      if (message.step) step = message.step
      if (message.polluted) end(new Error('Object.prototype was changed'))
      else if (message.results) end(undefined, message.results)
    })
    running.send(job)
  })
}

function check(
  file: HostileModel,
  { step, said, seconds, kib }: Result,
  path: string,
  size: number,
): string[] {
  const expected = step === 'inspect' ? file.inspect : file.imported
  const problems: string[] = []
  if (said) {
    if (!said.ours) problems.push(`${said.name}: ${said.message.slice(0, 300)}`)
    const names = step !== 'resolve' || said.message.startsWith('Cannot use settings file')
    if (names && said.message.split(path).length !== 2)
      problems.push(`does not name the file once: ${said.message}`)
    if (said.length > 20_000) problems.push(`says ${said.length} characters`)
    if (expected === 'reads') problems.push(`must be read, but: ${said.message.slice(0, 300)}`)
    if (expected instanceof RegExp && !expected.test(said.message))
      problems.push(`says ${said.message.slice(0, 300)}`)
  } else if (expected instanceof RegExp) problems.push('is read, and must not be')
  if (seconds > MOST_SECONDS) problems.push(`takes ${seconds.toFixed(1)} s`)
  if (kib > FREE_KIB + (2 * size) / 1024)
    problems.push(`takes ${Math.round(kib / 1024)} MiB for ${size} bytes`)
  return problems.map((problem) => `${file.kind}: ${file.name}: ${step} ${problem}`)
}

const { python, why } = pythonWith('pickle')

describe('hostile models', () => {
  test.skipIf(!python)(
    `mean it: Python, which runs them, leaves the marker, and calls are counted${why}`,
    async () => {
      const archive = join(root, 'real.zip')
      for (const name of ['calls os.system', 'calls builtins.exec', 'calls urllib.request.urlopen']) {
        writeFileSync(archive, files.find((file) => file.name === name)!.bytes())
        const code = `import pickle, zipfile; pickle.loads(zipfile.ZipFile(${JSON.stringify(archive)}).read("a/data.pkl"))`
        spawn(python!, ['-c', code], { stdio: 'ignore' })
        const trapped = () => (name.includes('urlopen') ? calls > 0 : existsSync(marker))
        await expect.poll(trapped, { timeout: 20_000 }).toBe(true)
        rmSync(marker, { force: true })
      }
      calls = 0
      rmSync(archive)
    },
  )

  test('are 300, and each is another one', () => {
    const count = (kind: string) => files.filter((file) => file.kind === kind).length
    for (const [kind, least] of Object.entries(LEAST)) expect(count(kind), kind).toBeGreaterThanOrEqual(least)
    expect(new Set(files.map(({ kind, name }) => `${kind} ${name}`)).size).toBe(files.length)
  })

  test('give one named error each, or are read; nothing is executed, called, filled or waited for', {
    timeout: 900_000,
  }, async () => {
    const problems: string[] = []
    const out = join(root, 'out.safetensors')
    for (const [id, file] of files.entries()) {
      const bytes = file.bytes()
      const path = join(folder, `${id}.bin`)
      writeFileSync(path, bytes)
      try {
        const results = await read({ id, path, kind: file.kind, out })
        for (const result of results) problems.push(...check(file, result, path, bytes.length))
        if (results.some(({ kib }) => kib > DIRTY_KIB)) leave()
      } catch (error) {
        problems.push(`${file.kind}: ${file.name}: ${(error as Error).message}`)
      }
      rmSync(path)
      rmSync(out, { force: true })
    }
    expect(problems).toEqual([])
    expect(existsSync(marker)).toBe(false)
    expect(readdirSync(folder)).toEqual([])
    expect(readdirSync(root)).toEqual(['files'])
    expect(calls).toBe(0)
  })
})
