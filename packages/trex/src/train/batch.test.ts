import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { type Tensor, tidy } from 'trex-torch'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resolveSettings } from '../config.js'
import { collectBadImages } from '../data/loader/badImages.js'
import { openLoader } from '../data/loader/loader.js'
import type { Workers } from '../data/loader/workers.js'
import { readImageDataset } from '../data/sources/imageFolder.js'
import type { ImageDataset, Sample } from '../data/sources/sample.js'
import { imageTensor } from '../method/imageTensor.js'
import { rngFor } from '../rng.js'
import { cropGroups } from '../settings.js'
import { stepInput } from './batch.js'
import { failedBatchPath, keepFailure, readFailure } from './failure.js'
import { openDataWorkers, validationBatches } from './reading.js'
import { replay } from './replay.js'
import { createRun, describeData } from './run.js'

// Bytes, as workers hand them over for a GPU, give the tensors that values give, which they hand over for a CPU.

const dir = mkdtempSync(join(tmpdir(), 'trex-bytes-'))
afterAll(() => rmSync(dir, { recursive: true }))

const settings = resolveSettings({
  recipe: 'trex',
  flags: { encoder: 'resnet18', imageSize: 32, batchSize: 4, workers: 0, precision: 'fp32', device: 'cpu' },
  sets: [
    ...['normalization.mean=[0.4,0.5,0.3]', 'normalization.std=[0.3,0.2,0.1]'],
    ...['projector.hidden=64', 'onlineClassMeans.size=16'],
  ],
})
const groups = cropGroups(settings)
const counts = groups.map(({ count }) => count)
const LAYOUTS = [true, false].map((channelsLast) => ({
  precision: { device: 'cpu', dtype: null } as const,
  channelsLast,
}))

let samples: readonly Sample[]
let data: ImageDataset
beforeAll(async () => {
  const rng = rngFor(3)
  for (let i = 0; i < 10; i++) {
    const noise = Uint8Array.from({ length: 12 * 9 * 3 }, () => rng.int(256))
    const image = sharp(noise, { raw: { width: 12, height: 9, channels: 3 } }).resize(50 + i, 61, {
      fit: 'fill',
    })
    mkdirSync(join(dir, 'images', `${i % 2}`), { recursive: true })
    await image.png().toFile(join(dir, 'images', `${i % 2}`, `${i}.png`))
  }
  data = await readImageDataset(join(dir, 'images'))
  mkdirSync(join(dir, 'broken'))
  samples = data.train.map((sample, i) => {
    if (i % 4 !== 1) return sample
    const path = join(dir, 'broken', `${i}.png`)
    writeFileSync(path, readFileSync(sample.path).subarray(0, -20))
    return { ...sample, path }
  })
})

const skipping = () => collectBadImages({ onBad: 'skip', maxBad: 99 })
const asBytes = (x: Tensor) => Buffer.from(x.toFloat32Array().buffer)

/** The tensors of all batches of an epoch in both layouts, of which no number is left in the loader's memory. */
async function trainingTensors(pool: Workers): Promise<Buffer[]> {
  const { batchSize, seed } = settings
  await using loader = openLoader({ samples, groups, batchSize, seed, pool, bad: skipping() })
  const found: Buffer[] = []
  for await (const batch of loader.epoch(1)) {
    expect(batch.crops.every((crop) => crop.BYTES_PER_ELEMENT === (pool.pixels === 'uint8' ? 1 : 4))).toBe(
      true,
    )
    tidy(() => {
      const inputs = LAYOUTS.map((target) => stepInput(batch, counts, target))
      for (const values of batch.crops) values.fill(0)
      for (const { crops, labels } of inputs)
        found.push(...crops.map(asBytes), Buffer.from(labels.toTypedArray().buffer))
    })
    batch.release()
  }
  return found
}

async function evaluationTensors(pool: Workers): Promise<Buffer[]> {
  const found: Buffer[] = []
  for await (const batch of validationBatches(samples, settings, { pool, bad: skipping() })) {
    tidy(() => {
      const images = LAYOUTS.map((target) => imageTensor(batch, target))
      batch.images.fill(0)
      found.push(...images.map(asBytes))
    })
    batch.release()
  }
  return found
}

test.each([0, 2])(
  '%i workers: bytes give the tensors of values, bit for bit, bad rows left out',
  async (workers) => {
    await using values = openDataWorkers({ ...settings, workers }, { device: 'cpu' })
    await using bytes = openDataWorkers({ ...settings, workers }, { device: 'cuda' })
    expect([values.pixels, bytes.pixels]).toEqual(['float32', 'uint8'])
    for (const tensors of [trainingTensors, evaluationTensors]) {
      const [expected, actual] = [await tensors(values), await tensors(bytes)]
      expect(expected.length).toBeGreaterThan(0)
      expect(actual.length).toBe(expected.length)
      for (const [i, buffer] of actual.entries()) expect(buffer.equals(expected[i]!)).toBe(true)
    }
  },
)

test('a failed step that was kept from bytes is the one from values, and is replayed with values', async () => {
  const step = { epoch: 0, step: 1, lr: 0.1, images: 4, loss: 2, crops: 4, hits: 0, seconds: 1, waited: 0 }
  const kept = []
  for (const device of ['cpu', 'cuda'] as const) {
    const run = createRun(join(dir, device), settings, describeData('train', dir, data))
    await using pool = openDataWorkers(settings, { device })
    await keepFailure(run, data, { pool, bad: collectBadImages() }, 'loss', step)
    expect(readFailure(run)!.images).toHaveLength(4)
    kept.push({ run, file: readFileSync(failedBatchPath(run)) })
  }
  expect(kept[1]!.file.equals(kept[0]!.file)).toBe(true)
  const steps = replay(kept[1]!.run, data)
  for (;;) {
    const { done, value } = await steps.next()
    if (!done) continue
    expect(value.sameImages).toBe(true)
    break
  }
})
