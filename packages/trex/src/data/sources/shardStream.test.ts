import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { pack } from 'tar-stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ShardServer, startShardServer, versionHeaders } from '../../../test/support/shardServer.js'
import type { Sample, SampleReader } from './sample.js'
import { readWebDataset } from './webDataset.js'

const http = { stallMs: 300, tries: 4, firstPauseMs: 5, longestPauseMs: 20 }
const SHARDS = 5
const PER_SHARD = 40
const BUFFER = 25

let server: ShardServer
let root: string
let cacheBefore: string | undefined
beforeEach(async () => {
  cacheBefore = process.env.XDG_CACHE_HOME
  root = await mkdtemp(join(tmpdir(), 'trex-shards-'))
  process.env.XDG_CACHE_HOME = join(root, 'cache')
  server = await startShardServer()
  for (let s = 0; s < SHARDS; s++) await addShard(s)
})
afterEach(async () => {
  if (cacheBefore === undefined) delete process.env.XDG_CACHE_HOME
  else process.env.XDG_CACHE_HOME = cacheBefore
  await server.close()
  await rm(root, { recursive: true })
})

/** Shard s, on the server and as a file. */
async function addShard(s: number, imageBytes = (i: number) => 300 + 137 * i): Promise<void> {
  const tar = pack()
  for (let i = 0; i < PER_SHARD; i++) {
    const image = Buffer.alloc(imageBytes(i), `image ${i} of shard ${s}, `)
    tar.entry({ name: `${s}-${i}.cls` }, `${(s + i) % 3}`)
    tar.entry({ name: `${s}-${i}.jpg` }, image)
  }
  tar.finalize()
  const bytes = await buffer(tar)
  await writeFile(join(root, `s-${s}.tar`), bytes)
  server.files.set(`/s-${s}.tar`, { bytes, etag: `"${s}"` })
}

const spec = (start: string) => `wds:${start}/s-{0..${SHARDS - 1}}.tar`
const readRemote = (valFraction = 0.2) =>
  readWebDataset(spec(server.url), { shuffleBuffer: BUFFER, http, valFraction })

async function expectBytes(reader: SampleReader, samples: readonly Sample[], places = [...samples.keys()]) {
  for (const place of places) {
    const { at } = samples[place]!
    if (at?.kind !== 'remote') throw new Error('not remote')
    const file = server.files.get(new URL(at.url).pathname)!
    const expected = file.bytes.subarray(at.offset, at.offset + at.length)
    expect(expected.equals(await reader.bytes(place))).toBe(true)
  }
}

describe('shards on a server', () => {
  test('have the samples, labels and split of the same shards as files', async () => {
    const remote = await readRemote()
    const local = await readWebDataset(spec(root), { valFraction: 0.2 })
    const of = (samples: readonly Sample[], start: string) =>
      samples.map(({ path, label, at }) => [
        path.replace(start, ''),
        label,
        at!.kind !== 'pixels' && at!.offset,
      ])
    expect(remote.classes).toEqual(local.classes)
    expect(of(remote.train, server.url)).toEqual(of(local.train, root))
    expect(of(remote.val, server.url)).toEqual(of(local.val, root))
    expect(remote.ignored).toEqual(local.ignored)
    expect(local.stream).toBeUndefined()
  })

  test('an epoch in its order: each sample once, each shard by one request', async () => {
    const { train, stream } = await readRemote()
    const order = stream!.order(1, 0)
    expect([...order].sort((a, b) => a - b)).toEqual([...train.keys()])
    const samples = Array.from(order, (i) => train[i]!)
    const before = server.ranges().length
    const reader = stream!.open(samples)
    await expectBytes(reader, samples)
    await reader.close()
    expect(server.ranges()).toHaveLength(before + SHARDS)
    await expect(reader.bytes(0)).rejects.toThrow(/were given before/)
    await expect(reader.bytes(samples.length)).rejects.toThrow(RangeError)
  })

  test('the rest of an epoch, a share of it, and validation', async () => {
    const { train, val, stream } = await readRemote()
    const epoch = Array.from(stream!.order(9, 3), (i) => train[i]!)
    stream!.order(9, 4)
    for (const samples of [epoch.slice(61), epoch.filter((_, i) => i % 3 === 1), val, [], epoch.slice(-1)]) {
      const reader = stream!.open(samples)
      await expectBytes(reader, samples)
      await reader.close()
    }
  })

  test('places may be asked for together and in any order; a sample may be wanted twice', async () => {
    const { train, stream } = await readRemote()
    const samples = [...train.slice(0, 50), train[3]!, train[3]!]
    const reader = stream!.open(samples)
    const places = [...samples.keys()].reverse()
    await Promise.all(places.map((place) => expectBytes(reader, samples, [place])))
    await reader.close()
  })

  test('drops and stalls in the middle do no harm', async () => {
    const { train, stream } = await readRemote()
    server.misbehave = (turn, { range }, response, file) => {
      if (turn % 3 === 2) return false
      const [from, to] = range!.match(/\d+/g)!.map(Number) as [number, number]
      response.writeHead(206, {
        ...versionHeaders(file),
        'content-length': to + 1 - from,
        'content-range': `bytes ${from}-${to}/${file.bytes.length}`,
      })
      const part = file.bytes.subarray(from, Math.min(from + 9999, to))
      response.write(part, () => void (turn % 3 === 0 && setTimeout(() => response.destroy(), 10)))
      return true
    }
    const samples = Array.from(stream!.order(2, 0), (i) => train[i]!)
    const before = server.ranges().length
    const reader = stream!.open(samples)
    await expectBytes(reader, samples)
    await reader.close()
    expect(server.ranges().length).toBeGreaterThan(before + SHARDS)
  })

  test('a shard that changes while it is read is an error that names it', async () => {
    const { train, stream } = await readRemote()
    for (const file of server.files.values()) file.etag = '"new"'
    const reader = stream!.open(train)
    await expect(reader.bytes(0)).rejects.toThrow(/s-0\.tar changed on the server while it was read/)
    await expect(reader.bytes(1)).rejects.toThrow(/s-0\.tar changed/)
    await reader.close()
  })

  test('only a window is read ahead; close and abort end the request', async () => {
    server.files.clear()
    for (let s = 0; s < SHARDS; s++) await addShard(s, () => 600_000)
    const { train, stream } = await readRemote(0)
    const samples = Array.from(stream!.order(4, 0), (i) => train[i]!)
    for (const end of ['close', 'abort']) {
      const controller = new AbortController()
      const before = server.seen.length
      const reader = stream!.open(samples, controller.signal)
      await reader.bytes(0)
      await sleep(300)
      const sent = () => server.seen.slice(before).reduce((sum, one) => sum + one.sent, 0)
      // 120 MB in all; the system's buffers between server and reader hold up to some 10 MB of what was sent.
      expect(sent()).toBeLessThan(BUFFER * 600_000 + 2 ** 24)
      expect(server.seen.slice(before).some(({ closed }) => !closed)).toBe(true)
      const waiting = reader.bytes(samples.length - 1)
      const ended = expect(waiting).rejects.toThrow(
        end === 'abort' ? 'enough' : 'the reader of the shards is closed',
      )
      if (end === 'abort') controller.abort(new Error('enough'))
      await reader.close()
      await ended
      await sleep(50)
      expect(server.seen.slice(before).every(({ closed }) => closed)).toBe(true)
    }
  })

  test('large gaps are not read', async () => {
    server.files.clear()
    for (let s = 0; s < SHARDS; s++) await addShard(s, () => 200_000)
    const { train, stream } = await readRemote()
    const samples = [train[0]!, train[1]!, train[20]!]
    const before = server.ranges().length
    const reader = stream!.open(samples)
    await expectBytes(reader, samples)
    await reader.close()
    const places = samples.map(({ at }) => (at?.kind === 'remote' ? at : null)!)
    const range = (from: number, to: number) =>
      `/s-0.tar bytes=${places[from]!.offset}-${places[to]!.offset + places[to]!.length - 1}`
    expect(server.ranges().slice(before)).toEqual([range(0, 1), range(2, 2)])
  })
})

describe('the kept index', () => {
  const gets = () => server.seen.filter(({ method }) => method === 'GET').length
  const cacheFiles = async () => {
    const folder = join(root, 'cache/trex/shards')
    return (await readdir(folder)).map((name) => join(folder, name))
  }

  test('saves a second reading, asked by HEAD alone', async () => {
    const first = await readRemote()
    expect(gets()).toBe(SHARDS)
    const second = await readRemote()
    expect(gets()).toBe(SHARDS)
    expect(server.seen.filter(({ method }) => method === 'HEAD')).toHaveLength(2 * SHARDS)
    expect([second.train, second.val, second.ignored]).toEqual([first.train, first.val, first.ignored])
    expect(await cacheFiles()).toHaveLength(SHARDS)
    for (const path of await cacheFiles()) expect(await readFile(path, 'utf8')).not.toContain('127.0.0.1')
  })
  test('damaged in any way it is read anew, and written again', async () => {
    const first = await readRemote()
    const [a, b, c, d] = await cacheFiles()
    const text = await readFile(a!, 'utf8')
    await writeFile(a!, text.replace('"offset":', '"offset":1'))
    await writeFile(b!, (await readFile(b!)).subarray(0, 100))
    await writeFile(c!, '')
    await writeFile(d!, Buffer.alloc(1000, 0xff))
    expect((await readRemote()).train).toEqual(first.train)
    expect(gets()).toBe(SHARDS + 4)
    expect(await readFile(a!, 'utf8')).toBe(text)
    await readRemote()
    expect(gets()).toBe(SHARDS + 4)
  })
  test('is of one version of a shard', async () => {
    await readRemote()
    server.files.get('/s-1.tar')!.etag = '"another"'
    await readRemote()
    expect(server.ranges().slice(SHARDS)).toEqual(['/s-1.tar all'])
  })
  test('is not kept where a change could not be noticed, and no folder is no error', async () => {
    for (const file of server.files.values()) delete file.etag
    await readRemote()
    await readRemote()
    expect(gets()).toBe(2 * SHARDS)
    for (const file of server.files.values()) file.etag = '"x"'
    process.env.XDG_CACHE_HOME = '/dev/null'
    expect((await readRemote()).train.length).toBeGreaterThan(0)
  })
})

test('a shard that is missing, or is cut short, is an error that names it', async () => {
  const { bytes } = server.files.get('/s-3.tar')!
  server.files.set('/s-3.tar', { bytes: bytes.subarray(0, 6000) })
  await expect(readRemote()).rejects.toThrow(
    /s-3\.tar is damaged: 3-.* has .* but the archive ends at byte 6,000$/,
  )
  server.files.delete('/s-3.tar')
  await expect(readRemote()).rejects.toThrow(
    /cannot read http:.*\/s-3\.tar: the server answers 404 Not Found$/,
  )
})
