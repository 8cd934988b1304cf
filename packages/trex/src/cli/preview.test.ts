import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeImages, trex } from '../../test/support/trex.js'
import { resolveSettings } from '../config.js'
import { decodeImage } from '../data/decode/decode.js'
import { createSampler } from '../data/loader/sampler.js'
import { multiCrop, sampleCrops } from '../data/pixels/multiCrop.js'
import { readImageDataset } from '../data/sources/imageFolder.js'
import { cropGroups } from '../settings.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-preview-'))
const data = join(dir, 'images')
const at = (name: string) => join(dir, name)
const settings = resolveSettings({ flags: { imageSize: 32, seed: 3 } })
const groups = cropGroups(settings)
const flags = ['--image-size', '32', '--seed', '3', '--images', '2', '--epoch', '1']

beforeAll(() => makeImages(data))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** The first images of the epoch as training takes them. */
async function fed() {
  const { train } = await readImageDataset(data, { valFraction: 0.1, seed: 3 })
  const order = createSampler({ length: train.length, batchSize: 1, seed: 3 }).order(1)
  return Array.from(order.subarray(0, 2), (sample) => ({ sample, ...train[sample]! }))
}

describe('trex preview', () => {
  test('prints what is drawn, which is what training draws', async () => {
    const { status, stdout, stderr } = await trex([
      'preview',
      data,
      ...flags,
      '--out',
      at('a.html'),
      '--json',
    ])
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: `wrote ${at('a.html')}: 2 images with 9 crops each\n`,
    })
    const rows = JSON.parse(stdout)
    const images = await fed()
    expect(rows.map((row: { title: string }) => row.title.split(' · ')[1])).toEqual(
      images.map(({ path }) => path),
    )
    for (const [i, { path, sample }] of images.entries()) {
      const drawn = sampleCrops(await decodeImage(path), groups, { seed: 3, epoch: 1, sample })
      const crops = rows[i].groups.map((group: { crops: unknown }) => group.crops)
      const expected = drawn.map((group) =>
        group.map((crop) => ({
          ...crop,
          jitter: crop.jitter && { ...crop.jitter, order: [...Array.from(crop.jitter.order)] },
        })),
      )
      expect(crops).toEqual(expected)
    }
    const page = readFileSync(at('a.html'), 'utf8')
    expect(page.match(/<figure/g)).toHaveLength(18)
    expect(page).not.toMatch(/https?:(?!\/\/www\.w3\.org)/)
  })

  test('draws the very pixels: a crop of 32 px is shown seven times enlarged', async () => {
    expect((await trex(['preview', data, ...flags, '--out', at('a.png')])).status).toBe(0)
    const sheet = await decodeImage(at('a.png'))
    const [first] = await fed()
    const image = await decodeImage(first!.path)
    const [[crop]] = multiCrop(image, groups, { seed: 3, epoch: 1, sample: first!.sample }) as [
      [typeof image],
    ]
    // Margins: 24 + 224 + 3 * 8 to the left, 64 + 24 above; the middle of each enlarged pixel is compared.
    for (let y = 0; y < 32; y++) {
      for (let x = 0; x < 32; x++) {
        const from = ((88 + 7 * y + 3) * sheet.width + 272 + 7 * x + 3) * 3
        const to = (y * 32 + x) * 3
        expect([...sheet.data.subarray(from, from + 3)]).toEqual([...crop!.data.subarray(to, to + 3)])
      }
    }
  })

  test('takes image files as well, and leaves out bad ones if told to', async () => {
    writeFileSync(at('bad.png'), 'no image')
    const files = [join(data, 'class0/0.png'), at('bad.png')]
    const failed = await trex(['preview', ...files, '--out', at('b.png')])
    expect(failed).toMatchObject({ status: 1, stdout: '' })
    expect(failed.stderr).toMatch(/error: .*bad\.png is not an image: it looks like text/)
    const skipped = await trex(['preview', ...files, '--out', at('b.png'), '--on-bad', 'skip'])
    expect(skipped).toMatchObject({ status: 0, stdout: `${files[0]}\n` })
    expect(skipped.stderr).toMatch(/left out: .*bad\.png/)
    expect((await sharp(at('b.png')).metadata()).width).toBeGreaterThan(600)
  })

  test.each([
    [['--out', 'x.jpg'], /a preview is a \.png or an \.html file/],
    [['--images', '0'], /--images 0: expected a whole number of at least 1/],
    [['--epoch', '1.5'], /--epoch 1\.5: expected/],
    [['--out', '/nowhere/x.png'], /\/nowhere\/x\.png cannot be written/],
    [['--on-bad', 'ignore'], /data\.onBad = "ignore"/],
  ])('%j is an error', async (args, message) => {
    const { status, stderr } = await trex(['preview', data, ...args])
    expect(status).toBe(1)
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/may be a bug/)
  })
})
