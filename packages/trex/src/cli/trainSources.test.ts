import {
  cpSync,
  createWriteStream,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeImages, TINY, trex } from '../../test/support/trex.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-sources-'))
const data = join(dir, 'images')
const at = (name: string) => join(dir, name)

beforeAll(() => makeImages(data, { classes: 2, perClass: 8 }))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const losses = (run: string) =>
  readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .map(({ kind, loss, top1, valLoss }) => ({ kind, loss, top1, valLoss }))

describe('trex train', () => {
  test('on a folder and on an archive of it: the same losses', async () => {
    const archive = pack()
    const written = pipeline(archive, createWriteStream(at('images.tar')))
    for (const kind of [0, 1])
      for (let i = 0; i < 8; i++)
        archive.entry(
          { name: `images/class${kind}/${i}.png` },
          readFileSync(join(data, `class${kind}/${i}.png`)),
        )
    archive.finalize()
    await written
    for (const [source, run] of [
      [data, at('folder')],
      [at('images.tar'), at('tar')],
    ] as const)
      expect(await trex(['train', source, ...TINY, '--out', run])).toMatchObject({ status: 0 })
    expect(losses(at('tar'))).toEqual(losses(at('folder')))
    expect(losses(at('tar')).length).toBeGreaterThan(2)
  })

  test('on a table of paths, labels and splits', async () => {
    const rows = [0, 1].flatMap((kind) =>
      Array.from(
        { length: 8 },
        (_, i) => `images/class${kind}/${i}.png,kind ${kind},${i < 6 ? 'train' : 'val'}`,
      ),
    )
    writeFileSync(at('table.csv'), ['path,label,split', ...rows].join('\n'))
    const { status, stderr } = await trex(['train', at('table.csv'), ...TINY, '--out', at('table')])
    expect(status).toBe(0)
    expect(stderr).toMatch(/2 classes, 12 training and 4 validation images/)
  })

  describe('with images that are damaged further on than their first bytes', () => {
    const damaged = at('damaged')
    const bad = ['class0/2.png', 'class1/5.png']
    beforeAll(() => {
      cpSync(data, damaged, { recursive: true })
      for (const name of bad) {
        const bytes = readFileSync(join(damaged, name))
        writeFileSync(join(damaged, name), bytes.subarray(0, bytes.length - 30))
      }
    })

    test('fails at the first, which it names', async () => {
      const { status, stderr } = await trex(['train', damaged, ...TINY, '--out', at('failed')])
      expect(status).toBe(1)
      expect(stderr).toMatch(/error: .*damaged\/class\d\/\d\.png is a PNG image .*truncated or damaged/)
      expect(existsSync(at('failed/checkpoints/last.safetensors'))).toBe(false)
    })

    test('goes on without them with --on-bad skip, and names them at the end', async () => {
      const skip = ['--on-bad', 'skip', '--max-bad', '2', '--epochs', '2']
      const { status, stderr } = await trex(['train', damaged, ...TINY, ...skip, '--out', at('skipped')])
      expect(status).toBe(0)
      expect(stderr).toMatch(
        /left out: 2 images that cannot be read\n.*\n.*\nthe list is in .*bad-images\.json/,
      )
      const list = JSON.parse(readFileSync(at('skipped/bad-images.json'), 'utf8')) as { path: string }[]
      expect(list.map(({ path }) => path.slice(damaged.length + 1)).sort()).toEqual(bad)
    })

    test('names those that are seen before the first step as well', async () => {
      cpSync(data, at('text'), { recursive: true })
      writeFileSync(at('text/class0/zz.png'), 'no image')
      const skip = ['--on-bad', 'skip', '--val-fraction', '0', '--batch-size', '8']
      const { status, stderr } = await trex(['train', at('text'), ...TINY, ...skip, '--out', at('seen')])
      expect(status).toBe(0)
      expect(stderr).toMatch(/1 of 17 images cannot be read and will be left out/)
      expect(stderr).toMatch(/left out: 1 image that cannot be read\n.*zz\.png is not an image/)
    })

    test('fails at one more than --max-bad', async () => {
      const skip = ['--on-bad', 'skip', '--max-bad', '1', '--epochs', '2']
      const { status, stderr } = await trex(['train', damaged, ...TINY, ...skip, '--out', at('many')])
      expect(status).toBe(1)
      expect(stderr).toMatch(/error: more than 1 bad images: .*damaged\/class/)
      expect(stderr).toMatch(/hint: .*trex datasets check/)
    })
  })
})
