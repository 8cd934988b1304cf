import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TREX } from '../../recipes.js'
import { cropGroups } from '../../settings.js'
import { DecodeError } from '../decode/decode.js'
import { readImageFolder } from '../sources/imageFolder.js'
import type { Sample } from '../sources/sample.js'
import { collectBadImages } from './badImages.js'
import { evalBatches, type LoaderOptions, openLoader } from './loader.js'

const groups = cropGroups({
  ...TREX,
  globalCrops: { ...TREX.globalCrops, count: 2, size: 20 },
  localCrops: { ...TREX.localCrops, count: 3, size: 12 },
})

/** 12 images, of which those at these places cannot be read. */
const BAD = [1, 4, 5, 6, 7]
let root: string
let samples: readonly Sample[]
let healed: readonly Sample[]
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'trex-bad-'))
  await mkdir(join(root, 'a'))
  for (let i = 0; i < 12; i++) {
    const background = { r: 20 * i, g: 255 - 20 * i, b: 100 }
    const png = await sharp({ create: { width: 30, height: 30 + i, channels: 3, background } })
      .png()
      .toBuffer()
    const path = join(root, 'a', `${String(i).padStart(2, '0')}.png`)
    await writeFile(path, BAD.includes(i) ? png.subarray(0, png.length - 30) : png)
    await writeFile(join(root, `${i}.whole`), png)
  }
  samples = (await readImageFolder(root)).samples
  healed = samples.map((sample, i) => ({ ...sample, path: join(root, `${i}.whole`) }))
})
afterAll(() => rm(root, { recursive: true, force: true }))

async function collect(options: Partial<LoaderOptions>) {
  await using loader = openLoader({ samples, groups, batchSize: 4, seed: 5, ...options })
  const batches = []
  for await (const { index, size, indices, labels, crops } of loader.epoch(1))
    batches.push({ index, size, indices, labels, crops: crops.map((crop) => Float32Array.from(crop)) })
  return batches
}

const names = (paths: Iterable<string>) => [...paths].map((path) => path.slice(root.length + 3)).sort()

describe('bad images left out', () => {
  test.each([0, 1, 2, 4])(
    '%i workers: the batches are those of whole files less the bad rows',
    async (workers) => {
      const bad = collectBadImages({ onBad: 'skip', maxBad: 5 })
      const batches = await collect({ workers, bad })
      const whole = await collect({ samples: healed })
      const expected = whole.flatMap((batch) => {
        const rows = [...batch.indices.keys()].filter((row) => !BAD.includes(batch.indices[row]!))
        const size = rows.length
        const crops = batch.crops.map((crop, g) => {
          const { count, size: side } = groups[g]!
          const length = 3 * side * side
          const kept = Array.from({ length: count }, (_, c) => rows.map((row) => c * batch.size + row)).flat()
          return Float32Array.from(kept.flatMap((at) => [...crop.subarray(at * length, (at + 1) * length)]))
        })
        const indices = Uint32Array.from(rows, (row) => batch.indices[row]!)
        return size > 0 ? [{ ...batch, size, indices, labels: new BigInt64Array(size), crops }] : []
      })
      expect(batches).toEqual(expected)
      expect(names(bad.skipped.keys())).toEqual(BAD.map((i) => `${String(i).padStart(2, '0')}.png`))
      for (const [path, reason] of bad.skipped) expect(reason).toContain(path)
    },
  )

  test('a batch without any image left is left out; evaluation goes on as well', async () => {
    const bad = collectBadImages({ onBad: 'skip', maxBad: 5 })
    const options = { resize: 16, crop: 16, filter: 'bicubic', batchSize: 4, bad } as const
    const seen = []
    for await (const { index, size, indices } of evalBatches(samples, options))
      seen.push([index, size, [...indices]])
    expect(seen).toEqual([
      [0, 3, [0, 2, 3]],
      [2, 4, [8, 9, 10, 11]],
    ])
  })
})

describe('the policy', () => {
  test('fail: the first bad image ends the epoch', async () => {
    await expect(collect({})).rejects.toThrow(DecodeError)
  })

  test.each([0, 2])('%i workers: one more than --max-bad is an error that names some', async (workers) => {
    const bad = collectBadImages({ onBad: 'skip', maxBad: 4 })
    const error = await collect({ workers, bad }).catch((e) => e)
    expect(error).toBeInstanceOf(DecodeError)
    expect(error.message).toMatch(/^more than 4 bad images: .*\.png is a PNG image .*; before it: .*\.png/)
    expect(error.hint).toMatch(/--max-bad/)
    expect(bad.skipped.size).toBe(4)
  })

  test('an image counts once, and those known before count', () => {
    const error = (path: string) => new DecodeError(path, `${path} is bad`)
    const bad = collectBadImages({ onBad: 'skip', maxBad: 2 }, [['old', 'old is bad']])
    for (const path of ['x', 'x', 'old']) bad.add(error(path))
    expect([...bad.skipped.keys()]).toEqual(['old', 'x'])
    expect(() => bad.add(error('y'))).toThrow('more than 2 bad images: y is bad; before it: old, x')
    expect(() => collectBadImages().add(error('z'))).toThrow('z is bad')
  })
})
