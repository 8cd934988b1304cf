import { createWriteStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import sharp from 'sharp'
import { pack } from 'tar-stream'
import { liveTensors, setNumThreads } from 'trex-torch'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ShardServer, startShardServer } from '../../test/support/shardServer.js'
import { resolveSettings } from '../config.js'
import { openDataset } from '../data/sources/openDataset.js'
import { rngFor } from '../rng.js'
import { openEncoder } from '../train/openEncoder.js'
import { openDataWorkers } from '../train/reading.js'
import type { ImagePart } from './computeFeatures.js'
import { type ExtractionOptions, extractCached, extractToFile } from './extract.js'
import { readFeatures } from './readFeatures.js'

const folder = mkdtempSync(join(tmpdir(), 'trex-extraction-'))
const settings = resolveSettings({
  flags: { encoder: 'resnet18', device: 'cpu', precision: 'fp32', workers: 0, seed: 4 },
})
let server: ShardServer

beforeAll(async () => {
  setNumThreads(1)
  const rng = rngFor(2)
  const archive = pack()
  const written = pipeline(archive, createWriteStream(join(folder, 'photos.tar')))
  for (let i = 0; i < 11; i++) {
    const pixels = Uint8Array.from({ length: 40 * 50 * 3 }, () => rng.int(256))
    const jpeg = await sharp(pixels, { raw: { width: 40, height: 50, channels: 3 } })
      .jpeg()
      .toBuffer()
    archive.entry({ name: `photos/${['cat', 'dog'][i % 2]}/${i}.jpg` }, jpeg)
  }
  archive.finalize()
  await written
  server = await startShardServer()
  server.files.set('/photos.tar', { bytes: readFileSync(join(folder, 'photos.tar')), etag: '"1"' })
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

async function partOf(data: string): Promise<ImagePart> {
  const { train, val, classes, stream } = await openDataset(data, { valFraction: 0 })
  return { samples: [...train, ...val], classes, root: folder, name: 'all', ...(stream && { stream }) }
}

const optionsWith = (pool: ExtractionOptions['pool']): ExtractionOptions => ({
  ...{ size: 32, batchSize: 3, normalization: settings.normalization, autoOrient: false, pool },
  bad: settings.data,
})

async function finish<T>(events: AsyncGenerator<unknown, T>): Promise<T> {
  for (;;) {
    const { value, done } = await events.next()
    if (done) return value
  }
}

test.each(['an archive', 'shards on a server'])(
  '%s: stopped after each batch and gone on, it is the same file as in one go',
  async (from) => {
    const data = from === 'an archive' ? join(folder, 'photos.tar') : `${server.url}/photos.tar`
    const part = await partOf(data)
    using opened = openEncoder(settings, null)
    const own = liveTensors()
    await using pool = openDataWorkers(settings, { device: 'cpu' })
    const options = optionsWith(pool)
    const whole = await finish(extractToFile(join(folder, `${from}.safetensors`), opened, part, options))
    expect(whole).toMatchObject({ images: 11, dim: 512, found: false })

    const file = join(folder, `${from} in parts.safetensors`)
    const starts: number[] = []
    while (!existsSync(file) && starts.length < 10) {
      const stop = new AbortController()
      const events = extractToFile(file, opened, part, { ...options, signal: stop.signal })
      const first = await events.next()
      if (!first.done) starts.push(first.value.resumedAt)
      await events.next()
      stop.abort(new Error('stop'))
      await finish(events).catch((error: Error) => expect(error.message).toBe('stop'))
    }
    expect(starts).toEqual([0, 3, 6, 9, 11]) // stopped after the last batch, nothing is left to read
    expect(readFileSync(file).equals(readFileSync(whole.file))).toBe(true)
    expect(liveTensors()).toBe(own)
    expect(readFeatures(file).paths).toHaveLength(11)
  },
)

test('a cache holds each identity once', async () => {
  const part = await partOf(join(folder, 'photos.tar'))
  using opened = openEncoder(settings, null)
  await using pool = openDataWorkers(settings, { device: 'cpu' })
  const cache = join(folder, 'cache')
  const extract = (options = optionsWith(pool)) => finish(extractCached(cache, opened, part, options))
  const first = await extract()
  expect(first.found).toBe(false)
  expect(await extract()).toEqual({ ...first, found: true })
  expect((await extract({ ...optionsWith(pool), batchSize: 4 })).found).toBe(true) // no part of what they are
  expect((await extract({ ...optionsWith(pool), size: 64 })).found).toBe(false)
  expect(readdirSync(cache)).toHaveLength(2)
  const none = { ...part, samples: [] }
  await expect(finish(extractCached(cache, opened, none, optionsWith(pool)))).rejects.toThrow('no images')
})
