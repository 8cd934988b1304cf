import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createShardIndexer, type ShardIndex } from '../src/data/sources/shardIndex.js'
import { indexFile } from '../src/data/sources/shardReading.js'
import { openTarStream } from '../src/data/sources/tarStream.js'
import { readWebDataset } from '../src/data/sources/webDataset.js'
import { TrexError } from '../src/errors.js'
import { hostileTars, type Outcome } from './hostileTars.js'

const MOST_MS = 2000
const MOST_BYTES = 64 * 2 ** 20

let root: string
let path: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'trex-hostile-'))
  await mkdir(join(root, 'inner/data'), { recursive: true })
  await writeFile(join(root, 'inner/victim.jpg'), 'untouched')
  path = join(root, 'inner/data/hostile.tar')
})
afterAll(() => rm(root, { recursive: true }))

/** Every file below the folder around the archive, and in the working directory, with its time and size. */
async function filesAround(): Promise<string[]> {
  const below = (await readdir(root, { recursive: true })).map((name) => join(root, name))
  const beside = (await readdir(process.cwd())).map((name) => join(process.cwd(), name))
  const found = [...below, ...beside].filter((name) => name !== path)
  return Promise.all(
    found.map(async (name) => {
      const { size, mtimeMs, mode } = await stat(name)
      return `${name} ${name.startsWith(root) ? `${size} ${mtimeMs} ${mode}` : ''}`
    }),
  )
}

const names = hostileTars.map(({ name }) => name)
const find = (name: string) => hostileTars.find((tar) => tar.name === name)!
const attempt = <T>(work: Promise<T>): Promise<T | Error> => work.catch((error: Error) => error)

function check(outcome: Outcome, got: Awaited<ReturnType<typeof readWebDataset>> | Error): void {
  if ('error' in outcome) {
    expect(got).toBeInstanceOf(TrexError)
    const { message, hint } = got as TrexError
    expect(message).toMatch(outcome.error)
    expect(message).toContain(path)
    expect(message.length).toBeLessThan(1000)
    expect(hint).toBeTruthy()
    return
  }
  if (got instanceof Error) throw got
  const samples = [...got.train, ...got.val]
  const bad = samples.filter(({ problem }) => problem)
  expect(samples.length - bad.length).toBe(outcome.good)
  expect(bad).toHaveLength(outcome.bad?.length ?? 0)
  for (const [i, pattern] of (outcome.bad ?? []).entries()) {
    const { message, hint } = bad[i]!.problem!
    expect(message).toMatch(pattern)
    expect(message).toContain(path)
    expect(message.length).toBeLessThan(1000)
    expect(hint).toBeTruthy()
  }
  expect(got.ignored).toEqual(outcome.ignored ?? {})
  expect(got.classes).toEqual(['a', 'b'])
}

describe('hostile archives', () => {
  test('are at least 60, and each is another one', () => {
    expect(hostileTars.length).toBeGreaterThanOrEqual(60)
    expect(new Set(hostileTars.map(({ name }) => name)).size).toBe(hostileTars.length)
    const hash = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex')
    expect(new Set(hostileTars.map(({ bytes }) => hash(bytes))).size).toBe(hostileTars.length)
  })

  test.each(names)('%s', async (name) => {
    const { bytes, outcome } = find(name)
    await writeFile(path, bytes)
    const before = await filesAround()
    const memory = process.memoryUsage()
    const start = performance.now()
    const got = await attempt(readWebDataset(path))
    expect(performance.now() - start).toBeLessThan(MOST_MS)
    const after = process.memoryUsage()
    expect(after.heapUsed + after.arrayBuffers - memory.heapUsed - memory.arrayBuffers).toBeLessThan(
      MOST_BYTES,
    )
    check(outcome, got)
    expect(await filesAround()).toEqual(before)
    expect(bytes.equals(await readFile(path))).toBe(true)
    expect(await readFile(join(root, 'inner/victim.jpg'), 'utf8')).toBe('untouched')
  })

  test.each(names)('as a stream: %s', async (name) => {
    const { bytes } = find(name)
    await writeFile(path, bytes)
    const ofFile = await attempt(indexFile(path))
    for (const [chunk, length] of [
      [777, bytes.length],
      [2 ** 16, bytes.length],
      [1000, null],
    ] as const) {
      const streamed = await attempt(indexStream(bytes, chunk, length))
      if (ofFile instanceof Error) expect(streamed).toBeInstanceOf(TrexError)
      if (ofFile instanceof Error && length !== null) expect((streamed as Error).message).toBe(ofFile.message)
      if (!(ofFile instanceof Error)) expect(streamed).toEqual(ofFile)
    }
  })
})

async function indexStream(bytes: Buffer, chunk: number, length: number | null): Promise<ShardIndex> {
  const indexer = createShardIndexer(path)
  const tar = openTarStream({ archive: path, length, wants: indexer.wants }, indexer.add)
  for (let at = 0; at < bytes.length; at += chunk) tar.write(bytes.subarray(at, at + chunk))
  tar.end()
  return indexer.finish((a, b) => tar.digest(a.offset) === tar.digest(b.offset))
}
