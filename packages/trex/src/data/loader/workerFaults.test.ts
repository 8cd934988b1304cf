import { existsSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TrexError } from '../../errors.js'
import { TREX } from '../../recipes.js'
import { rngFor } from '../../rng.js'
import { cropGroups } from '../../settings.js'
import { readImageFolder } from '../sources/imageFolder.js'
import type { Sample } from '../sources/sample.js'
import { type LoaderOptions, openLoader } from './loader.js'

const groups = cropGroups({
  ...TREX,
  globalCrops: { ...TREX.globalCrops, size: 24 },
  localCrops: { ...TREX.localCrops, count: 2, size: 16 },
})

let root: string
let samples: readonly Sample[]
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'trex-faults-'))
  for (let i = 0; i < 16; i++) {
    const rng = rngFor(i)
    const pixels = Uint8Array.from({ length: 12 * 12 * 3 }, () => rng.int(256))
    const folder = join(root, i % 2 ? 'a' : 'b')
    await mkdir(folder, { recursive: true })
    await sharp(pixels, { raw: { width: 12, height: 12, channels: 3 } })
      .resize(40, 30 + i, { fit: 'fill' })
      .png()
      .toFile(join(folder, `${i}.png`))
  }
  samples = (await readImageFolder(root)).samples
})
afterAll(() => rm(root, { recursive: true, force: true }))

/**
 * What happens to a worker that opens `target`, the first `times` times: a module that it loads first. `log` outlives
 * the workers.
 */
function fault(kind: string, target: string, times: number, log: string): string[] {
  const source = `
    import fs, { appendFileSync, existsSync, readFileSync } from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    const { kind, target, times, log } = ${JSON.stringify({ kind, target, times, log })}
    const acts = {
      exit: () => process.exit(3),
      throw: () => queueMicrotask(() => { throw new Error('a fault') }),
      loop: () => { for (;;); },
      sleep: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
      silence: () => {},
    }
    const { open } = fs
    fs.open = (path, ...rest) => {
      const before = existsSync(log) ? readFileSync(log).length : 0
      if (String(path) !== target || before >= times) return open(path, ...rest)
      appendFileSync(log, 'x')
      acts[kind]()
    }
    syncBuiltinESMExports()`
  return ['--import', `data:text/javascript,${encodeURIComponent(source)}`]
}

async function collect(options: Partial<LoaderOptions>) {
  await using loader = openLoader({ samples, groups, batchSize: 4, seed: 3, ...options })
  const batches = []
  for await (const { index, indices, crops } of loader.epoch(0))
    batches.push({ index, indices, crops: crops.map((crop) => Float32Array.from(crop)) })
  return batches
}

const KINDS = ['exit', 'throw', 'loop', 'sleep', 'silence'] as const

describe.each(KINDS)('a worker that meets a fault in mid-epoch: %s', (kind) => {
  const options = (times: number, name: string): Partial<LoaderOptions> => ({
    workers: 2,
    stallSeconds: 1,
    execArgv: fault(kind, samples[5]!.path, times, join(root, `${kind}-${name}.log`)),
  })

  test('twice: the epoch completes with the same batches', async () => {
    const batches = await collect(options(2, 'twice'))
    expect(existsSync(join(root, `${kind}-twice.log`))).toBe(true)
    expect(batches).toEqual(await collect({}))
  })

  test('again and again: an error that names the image', async () => {
    const error = await collect(options(100, 'always')).catch((e) => e)
    expect(error).toBeInstanceOf(TrexError)
    const reason = { exit: 'code 3', throw: 'a fault', loop: '1 s', sleep: '1 s', silence: '1 s' }[kind]
    expect(error.message).toMatch(new RegExp(`^3 data workers died at ${samples[5]!.path}: .*${reason}`))
    expect(error.hint).toMatch(/image/)
  })
})

test.each(['exit', 'loop', 'silence'])(
  'closing while a worker meets a fault (%s) ends, and so does the batch',
  async (kind) => {
    const execArgv = fault(kind, samples[5]!.path, 1, join(root, `${kind}-close.log`))
    const loader = openLoader({
      samples,
      groups,
      batchSize: 4,
      seed: 3,
      workers: 2,
      stallSeconds: 1,
      execArgv,
    })
    const batches = loader.epoch(0)
    const first = batches.next().then(
      () => 'settled',
      () => 'settled',
    )
    await loader.close()
    await loader.close()
    expect(await first).toBe('settled')
  },
)

test('workers that cannot start: an error that says so', async () => {
  const execArgv = ['--import', `data:text/javascript,${encodeURIComponent('process.exit(9)')}`]
  await expect(collect({ workers: 1, execArgv })).rejects.toThrow(/as soon as they start: .*code 9/)
})

test('a worker that dies while nothing is asked for: the next epoch is whole', async () => {
  const wish = join(root, 'end')
  const source = `
    import { existsSync, rmSync } from 'node:fs'
    const { wish } = ${JSON.stringify({ wish })}
    setInterval(() => {
      if (!existsSync(wish)) return
      rmSync(wish)
      process.exit(4)
    }, 20).unref()`
  const execArgv = ['--import', `data:text/javascript,${encodeURIComponent(source)}`]
  await using loader = openLoader({ samples, groups, batchSize: 4, workers: 1, execArgv })
  for (const epoch of [0, 1, 2]) {
    let count = 0
    for await (const _ of loader.epoch(epoch)) count++
    expect(count).toBe(4)
    writeFileSync(wish, '')
    while (existsSync(wish)) await new Promise((resolve) => setTimeout(resolve, 20))
  }
})
