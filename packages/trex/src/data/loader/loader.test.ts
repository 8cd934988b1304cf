import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TREX } from '../../recipes.js'
import { rngFor } from '../../rng.js'
import { cropGroups } from '../../settings.js'
import { DecodeError, decodeImage } from '../decode/decode.js'
import { applyEvalTransform, TRANSFER_TRANSFORM } from '../pixels/evalTransform.js'
import type { RgbImage } from '../pixels/image.js'
import { multiCrop } from '../pixels/multiCrop.js'
import { IMAGENET_NORMALIZATION } from '../pixels/normalize.js'
import { readImageFolder } from '../sources/imageFolder.js'
import type { Sample } from '../sources/sample.js'
import { type Batch, evalBatches, type LoaderOptions, openLoader } from './loader.js'
import type { PoolJob } from './workerPool.js'
import { openWorkers } from './workers.js'

const dist = fileURLToPath(new URL('../../../dist/data/loader/', import.meta.url))
const groups = cropGroups({
  ...TREX,
  globalCrops: { ...TREX.globalCrops, count: 2, size: 24 },
  localCrops: { ...TREX.localCrops, count: 3, size: 16 },
})
const IMAGES = 14

let root: string
let samples: Sample[]
beforeAll(async () => {
  if (!existsSync(join(dist, 'worker.js'))) {
    throw new Error(
      `the data worker is not built: run \`npx tsc -b packages/trex\` first (no ${dist}worker.js)`,
    )
  }
  root = await mkdtemp(join(tmpdir(), 'trex-loader-'))
  for (let i = 0; i < IMAGES; i++) {
    const [width, height] = [30 + i, 44 - i]
    const rng = rngFor(i)
    const coarse = Uint8Array.from({ length: 8 * 8 * 3 }, () => rng.int(256))
    const image = sharp(coarse, { raw: { width: 8, height: 8, channels: 3 } }).resize(width, height, {
      fit: 'fill',
    })
    const folder = join(root, i % 2 ? 'odd' : 'even')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, `${i}.jpg`), await (i % 3 ? image.jpeg() : image.png()).toBuffer())
  }
  samples = (await readImageFolder(root)).samples
})
afterAll(() => rm(root, { recursive: true, force: true }))

const base = (): LoaderOptions => ({ samples, groups, batchSize: 4, seed: 22 })

async function collect(options: LoaderOptions, epoch: number, start = 0): Promise<Batch[]> {
  await using loader = openLoader(options)
  const batches: Batch[] = []
  for await (const batch of loader.epoch(epoch, start)) batches.push(batch)
  return batches
}
const content = (batches: Batch[]) =>
  batches.map(({ epoch, index, size, labels, indices, crops }) => ({
    epoch,
    index,
    size,
    labels,
    indices,
    crops: crops.map((crop) => Float32Array.from(crop)),
  }))

/** The normalised value of one pixel channel, by the definition. */
function normalized(image: RgbImage, c: number, i: number): number {
  const { mean, std } = IMAGENET_NORMALIZATION
  return (image.data[i * 3 + c]! / 255 - mean[c]!) / std[c]!
}

describe('openLoader', () => {
  test('a batch is crop-major, with each image where its index says', async () => {
    const batches = await collect(base(), 1)
    expect(batches.map((b) => b.size)).toEqual([4, 4, 4])
    const { crops, labels, indices } = batches[1]!
    expect(crops.map((crop) => crop.length)).toEqual([2 * 4 * 3 * 24 * 24, 3 * 4 * 3 * 16 * 16])
    expect(crops.every((crop) => crop.buffer instanceof SharedArrayBuffer)).toBe(true)
    for (const [row, sample] of indices.entries()) {
      expect(labels[row]).toBe(BigInt(samples[sample]!.label))
      const image = await decodeImage(samples[sample]!.path)
      const expected = multiCrop(image, groups, { seed: 22, epoch: 1, sample })
      for (const [g, { count, size }] of groups.entries()) {
        const plane = size * size
        for (let k = 0; k < count; k++) {
          for (const [c, i] of [
            [0, 0],
            [1, 7],
            [2, plane - 1],
          ] as const) {
            const actual = crops[g]![((k * 4 + row) * 3 + c) * plane + i]!
            expect(actual).toBeCloseTo(normalized(expected[g]![k]!, c, i), 5)
          }
        }
      }
    }
  })

  test('0, 1 and 2 workers, with and without a cache: the same bits', async () => {
    const expected = content(await collect({ ...base(), dropLast: false }, 0))
    expect(expected.map((b) => b.size)).toEqual([4, 4, 4, 2])
    for (const [workers, cacheBytes] of [
      [1, 0],
      [2, 0],
      [2, 20_000],
    ] as const) {
      const options = { ...base(), dropLast: false, workers, cacheBytes, prefetch: workers }
      await using loader = openLoader(options)
      const before: Batch[] = []
      for await (const batch of loader.epoch(7)) before.push(batch) // fills the cache
      for (const batch of before) batch.release()
      const batches: Batch[] = []
      for await (const batch of loader.epoch(0)) batches.push(batch)
      expect(content(batches)).toEqual(expected)
      const memory = new Set(before.flatMap((batch) => batch.crops.map((crop) => crop.buffer)))
      expect(batches.every((batch) => batch.crops.every((crop) => memory.has(crop.buffer)))).toBe(true)
    }
  })

  test('the cache tells images by where they are, not by what they are called', async () => {
    const archives = ['one', 'two'].map((name) => join(root, name))
    const files = [samples[0]!, samples[3]!]
    const sizes: number[] = []
    for (const [i, archive] of archives.entries()) {
      const bytes = await readFile(files[i]!.path)
      sizes.push(bytes.length)
      await writeFile(archive, bytes)
    }
    const same = archives.map((path, label) => ({
      path: 'http://host/get?.../0.png',
      label,
      at: { kind: 'slice' as const, path, offset: 0, length: sizes[label]! },
    }))
    const options = { ...base(), samples: same, batchSize: 2 }
    const [plain, cached] = await Promise.all([
      collect(options, 1),
      collect({ ...options, cacheBytes: 1e6 }, 1),
    ])
    expect(content(cached)).toEqual(content(plain))
    await using loader = openLoader({ ...options, cacheBytes: 1e6 })
    for await (const batch of loader.epoch(0)) batch.release()
    const again: Batch[] = []
    for await (const batch of loader.epoch(1)) again.push(batch)
    expect(content(again)).toEqual(content(plain))
  })

  test('epochs and seeds differ; a start in mid-epoch gives the rest of it', async () => {
    const epoch2 = content(await collect(base(), 2))
    expect(content(await collect({ ...base(), workers: 1 }, 2, 1))).toEqual(epoch2.slice(1))
    expect(await collect(base(), 2, 3)).toEqual([])
    expect(content(await collect(base(), 3))[0]!.crops).not.toEqual(epoch2[0]!.crops)
    expect(content(await collect({ ...base(), seed: 23 }, 2))[0]!.crops).not.toEqual(epoch2[0]!.crops)
    expect(() => openLoader(base()).epoch(0, 4)).toThrow(RangeError)
  })

  test('epochs one after the other are begun ahead of their time, and are the same', async () => {
    await using workers = openWorkers({ workers: 1 })
    const filled: number[] = []
    const pool = {
      ...workers.pool,
      fill(job: PoolJob) {
        filled.push((job.transform as { epoch: number }).epoch)
        return workers.pool.fill(job)
      },
    }
    await using loader = openLoader({ ...base(), pool: { ...workers, pool }, epochs: 3, prefetch: 2 })
    for (const epoch of [0, 1, 2]) {
      const batches: Batch[] = []
      for await (const batch of loader.epoch(epoch)) batches.push(batch)
      expect(content(batches)).toEqual(content(await collect(base(), epoch)))
      expect(filled.filter((e) => e === epoch)).toHaveLength(loader.batches)
      expect(filled.filter((e) => e > epoch)).toHaveLength(epoch < 2 ? 2 : 0)
    }
    const again: Batch[] = []
    for await (const batch of loader.epoch(0, 1)) again.push(batch) // epoch 1 is begun once more
    for await (const batch of loader.epoch(2)) again.push(batch) // and given up
    expect(content(again)).toEqual([
      ...content(await collect(base(), 0, 1)),
      ...content(await collect(base(), 2)),
    ])
  })

  const linux = process.platform === 'linux'
  test.skipIf(!linux)(
    `workers give way to other threads${linux ? '' : ' (skipped: on Linux only)'}`,
    async () => {
      const nice = getPriority() + 3
      await using loader = openLoader({ ...base(), workers: 2, nice })
      for await (const { index } of loader.epoch(0)) expect(index).toBeLessThan(loader.batches)
      const nices = (await readdir('/proc/self/task')).map((thread) =>
        Number(readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ')[1]!.split(' ')[16]),
      )
      expect(nices.filter((value) => value === nice)).toHaveLength(2)
      expect(() => openLoader({ ...base(), workers: 1, nice: 20 })).toThrow(RangeError)
    },
  )

  test('two ranks see what one rank with twice the batch sees', async () => {
    const [whole] = content(await collect(base(), 0))
    const ranks = await Promise.all(
      [0, 1].map((rank) => collect({ ...base(), batchSize: 2, rank, worldSize: 2 }, 0)),
    )
    for (const [g, { count, size }] of groups.entries()) {
      const values = 2 * 3 * size * size
      const joined: number[] = []
      for (let k = 0; k < count; k++) {
        for (const batches of ranks)
          joined.push(...batches[0]!.crops[g]!.subarray(k * values, (k + 1) * values))
      }
      expect(Float32Array.from(joined)).toEqual(whole!.crops[g])
    }
  })

  test('released memory is used again, once', async () => {
    await using loader = openLoader(base())
    const buffers = new Set<ArrayBufferLike>()
    for await (const batch of loader.epoch(0)) {
      buffers.add(batch.crops[0]!.buffer)
      batch.release()
      batch.release()
    }
    expect(buffers.size).toBe(1)
    const batches: Batch[] = []
    for await (const batch of loader.epoch(0)) batches.push(batch)
    expect(new Set(batches.map((batch) => batch.crops[0]!.buffer)).size).toBe(3)
  })

  test('too few images for a batch', () => {
    expect(() => openLoader({ ...base(), batchSize: 8, worldSize: 2 })).toThrow(
      /14 .* do not fill one batch of 16/,
    )
  })
})

describe('a loader ends cleanly', () => {
  test.each([0, 2])('%i workers: a bad image is a DecodeError at its batch', async (workers) => {
    const bad = join(root, 'bad.jpg')
    await writeFile(bad, '<!doctype html><title>404</title>')
    const order = openLoader(base()).epoch(0)
    const first = (await order.next()).value as Batch
    const second = (await order.next()).value as Batch
    await order.return()
    const missing = join(root, 'missing.jpg')
    // Rows 3 and 1 of the second batch; the error is that of row 1, whichever worker comes first.
    const broken = samples.map((sample, i) =>
      i === second.indices[1]
        ? { ...sample, path: bad }
        : i === second.indices[2]
          ? { ...sample, path: missing }
          : sample,
    )
    await using loader = openLoader({ ...base(), samples: broken, workers })
    const batches = loader.epoch(0)
    expect(content([(await batches.next()).value as Batch])).toEqual(content([first]))
    const error = await batches.next().catch((e) => e)
    expect(error).toBeInstanceOf(DecodeError)
    expect(error).toMatchObject({ name: 'DecodeError', path: bad })
    expect(error.message).toBe(`${bad} is not an image: it looks like an HTML page`)
    expect(error.hint).toMatch(/fetch/)
    expect((await batches.next()).done).toBe(true)
  })

  test.each([0, 2])('%i workers: leaving an epoch early leaves the loader usable', async (workers) => {
    await using loader = openLoader({ ...base(), workers, prefetch: 3 })
    for await (const batch of loader.epoch(0)) {
      expect(batch.index).toBe(0)
      break
    }
    let count = 0
    for await (const _ of loader.epoch(1)) count++
    expect(count).toBe(3)
  })

  test.each([0, 1])('%i workers: an abort rejects with its reason', async (workers) => {
    const controller = new AbortController()
    await using loader = openLoader({ ...base(), workers, signal: controller.signal })
    const batches = loader.epoch(0)
    await batches.next()
    const next = batches.next()
    controller.abort(new Error('stopped by the user'))
    await expect(next).rejects.toThrow('stopped by the user')
    expect((await batches.next()).done).toBe(true)
  })

  test('a closed loader says so', async () => {
    const loader = openLoader({ ...base(), workers: 1 })
    await loader.close()
    await expect(loader.epoch(0).next()).rejects.toThrow(/closed/)
  })

  test('a loader that nobody closed does not hold the process', async () => {
    const script = `
      import { openLoader } from ${JSON.stringify(join(dist, 'loader.js'))}
      const loader = openLoader({ ...${JSON.stringify(base())}, workers: 2 })
      const batches = loader.epoch(0)
      console.log((await batches.next()).value.size)`
    const { stdout } = await promisify(execFile)('node', ['--input-type=module', '-e', script], {
      timeout: 30_000,
    })
    expect(stdout).toBe('4\n')
  })
})

describe('evalBatches', () => {
  test.each([0, 2])('%i workers: all samples in order, transformed', async (workers) => {
    const transform = { ...TRANSFER_TRANSFORM, resize: 20, crop: 18 }
    const seen: number[] = []
    for await (const batch of evalBatches(samples, { ...transform, batchSize: 5, workers })) {
      expect(batch.images).toHaveLength(batch.size * 3 * 18 * 18)
      for (const [row, sample] of batch.indices.entries()) {
        const image = applyEvalTransform(await decodeImage(samples[sample]!.path), transform)
        for (const [c, i] of [
          [0, 0],
          [1, 100],
          [2, 323],
        ] as const) {
          expect(batch.images[(row * 3 + c) * 324 + i]).toBeCloseTo(normalized(image, c, i), 5)
        }
        expect(batch.labels[row]).toBe(BigInt(samples[sample]!.label))
        seen.push(sample)
      }
      batch.release()
    }
    expect(seen).toEqual(samples.map((_, i) => i))
  })
})
