import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TrexError } from '../../errors.js'
import type { ImageDataset, Sample, SampleStream } from '../sources/sample.js'
import { examine } from './examine.js'
import { formatReport } from './formatReport.js'
import { printable } from './printable.js'
import { scanDataset } from './scanDataset.js'

let root: string
let red: Buffer
let blue: Buffer
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'trex-scan-'))
  const plain = (width: number, height: number, background: string) =>
    sharp({ create: { width, height, channels: 3, background } })
  red = await plain(40, 30, 'red').png().toBuffer()
  blue = await plain(50, 60, 'blue').jpeg().toBuffer()
  await writeFile(join(root, 'red.png'), red)
  await writeFile(join(root, 'blue.jpg'), blue)
  await writeFile(join(root, 'page.jpg'), '<html></html>')
  await writeFile(join(root, 'pack.tar'), Buffer.concat([Buffer.alloc(512), red, blue.subarray(0, 250)]))
})
afterAll(() => rm(root, { recursive: true }))

const file = (name: string, label: number): Sample => ({ path: join(root, name), label })
const slice = (name: string, label: number, offset: number, length: number): Sample => {
  const path = join(root, 'pack.tar')
  return { path: `${path}/${name}`, label, at: { kind: 'slice', path, offset, length } }
}
const grey = (label: number): Sample => {
  const memory = new SharedArrayBuffer(6)
  return {
    path: 'grey#0',
    label,
    at: { kind: 'pixels', memory, offset: 0, width: 3, height: 2, channels: 1 },
  }
}

describe('scanDataset', () => {
  test('files, members of archives, pixels and known problems', async () => {
    const problem = { message: 'odd.jpg is a FIFO', hint: 'remove it' }
    const dataset: ImageDataset = {
      classes: ['a', 'b'],
      train: [
        file('red.png', 0),
        file('blue.jpg', 1),
        file('page.jpg', 1),
        { path: 'odd.jpg', label: 0, problem },
      ],
      val: [slice('red.png', 0, 512, red.length), slice('cut.jpg', 1, 512 + red.length, 250), grey(1)],
      ignored: { '.txt': 2 },
    }
    const seen: number[] = []
    const report = await scanDataset(dataset, {
      atOnce: 3,
      onProgress: (done, total) => seen.push(done, total),
    })
    expect(seen.filter((_, i) => i % 2 === 0)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(new Set(seen.filter((_, i) => i % 2 === 1))).toEqual(new Set([7]))
    expect(report).toEqual({
      ok: false,
      quick: false,
      images: { train: 4, val: 3 },
      classes: [
        { name: 'a', train: 2, val: 1 },
        { name: 'b', train: 2, val: 2 },
      ],
      smallestClass: { name: 'a', train: 2, val: 1 },
      largestClass: { name: 'b', train: 2, val: 2 },
      unreadable: [
        expect.objectContaining({
          path: join(root, 'page.jpg'),
          split: 'train',
          class: 'b',
          message: expect.stringContaining('an HTML page'),
        }),
        { path: 'odd.jpg', split: 'train', class: 'a', ...problem },
        expect.objectContaining({
          path: join(root, 'pack.tar/cut.jpg'),
          split: 'val',
          class: 'b',
          message: expect.stringMatching(/pack.tar\/cut.jpg is a JPEG .*truncated/),
        }),
      ],
      ignored: { '.txt': 2 },
      contents: {
        images: 4,
        bytes: 2 * red.length + blue.length + 6,
        formats: { PNG: 2, JPEG: 1, pixels: 1 },
        colors: { RGB: 3, grey: 1 },
        width: { min: 3, median: 40, max: 50 },
        height: { min: 2, median: 30, max: 60 },
        smallerThan32: 3,
      },
      duplicates: {
        acrossSplits: 1,
        withinSplit: 0,
        differentLabels: 0,
        groups: [
          {
            acrossSplits: true,
            differentLabels: false,
            images: [
              { path: join(root, 'red.png'), split: 'train', class: 'a' },
              { path: join(root, 'pack.tar/red.png'), split: 'val', class: 'a' },
            ],
          },
        ],
      },
    })
    expect(formatReport(report, 'image folder')).toContain('not ok: 1 images are in train and in val')
  })

  test('an archive that ends inside an image', async () => {
    const sample = slice('last.jpg', 0, 512 + red.length, 251)
    await expect(examine(sample, () => Promise.reject(new Error('not remote')))).rejects.toThrow(
      /cannot read .*pack.tar\/last.jpg: .*pack.tar ends at byte \d+, inside a part/,
    )
  })

  test('all is well', async () => {
    const dataset: ImageDataset = {
      classes: ['a', 'b'],
      train: [file('red.png', 0)],
      val: [file('blue.jpg', 1)],
      ignored: {},
    }
    const report = await scanDataset(dataset)
    expect(report.ok).toBe(true)
    expect(formatReport(report, 'table')).toMatch(/\n\nok$/)
    expect((await scanDataset(dataset, { quick: true })).contents).toBeNull()
  })

  test('the digest is the beginning of SHA-256', async () => {
    const { digest } = await examine(file('red.png', 0), () => Promise.reject(new Error('not remote')))
    expect(Buffer.from(digest, 'base64')).toEqual(createHash('sha256').update(red).digest().subarray(0, 16))
  })

  test('an abort ends it', async () => {
    const stop = new AbortController()
    const many = Array.from({ length: 100 }, () => file('red.png', 0))
    const dataset: ImageDataset = { classes: ['a'], train: many, val: [], ignored: {} }
    let last = 0
    const scan = scanDataset(dataset, {
      atOnce: 2,
      signal: stop.signal,
      onProgress(done) {
        last = done
        if (done === 5) stop.abort(new Error('enough'))
      },
    })
    await expect(scan).rejects.toThrow('enough')
    expect(last).toBeLessThan(10)
    await expect(scanDataset(dataset, { quick: true, signal: stop.signal })).rejects.toThrow('enough')
  })
})

describe('a stream', () => {
  const remote = (name: string, label: number): Sample => ({
    path: name,
    label,
    at: { kind: 'remote', url: 'http://localhost/a.tar', offset: 0, length: 1 },
  })
  /** Bytes in memory, given once each and in order, as those of a server are. */
  const streamOf = (content: Record<string, Buffer>, closed: string[]): SampleStream => ({
    order: () => new Uint32Array(),
    open(samples) {
      let next = 0
      return {
        async bytes(place) {
          expect(place).toBe(next++)
          const bytes = content[samples[place]!.path]
          if (!bytes) throw new TrexError('the server fails', { hint: 'try again' })
          return bytes
        },
        async close() {
          closed.push(samples[0]!.path)
        },
      }
    },
  })

  test('is read in order, part by part, and closed', async () => {
    const closed: string[] = []
    const stream = streamOf({ '1.png': red, '2.jpg': blue, '3.png': red }, closed)
    const train = [remote('1.png', 0), remote('2.jpg', 1)]
    const report = await scanDataset({
      classes: ['a', 'b'],
      train,
      val: [remote('3.png', 0)],
      ignored: {},
      stream,
    })
    expect(report.contents?.formats).toEqual({ PNG: 2, JPEG: 1 })
    expect(report.duplicates?.acrossSplits).toBe(1)
    expect(closed).toEqual(['1.png', '3.png'])
  })

  test('that fails for good ends the scan, and is closed', async () => {
    const closed: string[] = []
    const train = [remote('1.png', 0), remote('gone', 1)]
    const scan = scanDataset({
      classes: ['a', 'b'],
      train,
      val: [],
      ignored: {},
      stream: streamOf({ '1.png': red }, closed),
    })
    await expect(scan).rejects.toThrow('the server fails')
    expect(closed).toEqual(['1.png'])
  })
})

test('of many classes the largest and the smallest are shown', async () => {
  const classes = Array.from({ length: 50 }, (_, i) => `class ${i}`)
  const train = classes.flatMap((_, label) => Array.from({ length: label + 1 }, () => grey(label)))
  const report = await scanDataset({ classes, train, val: [], ignored: {} })
  expect([report.smallestClass?.name, report.largestClass?.name]).toEqual(['class 0', 'class 49'])
  const lines = formatReport(report, 'image folder').split('\n')
  const from = lines.indexOf('classes')
  expect(lines.slice(from + 1, from + 22).map((line) => line.trim().split(/ {2,}/))).toEqual([
    ...Array.from({ length: 10 }, (_, i) => [
      `class ${49 - i}`,
      String(50 - i),
      '█'.repeat(Math.ceil((24 * (50 - i)) / 50)),
    ]),
    ['... 30 between'],
    ...Array.from({ length: 10 }, (_, i) => [
      `class ${9 - i}`,
      String(10 - i),
      '█'.repeat(Math.ceil((24 * (10 - i)) / 50)),
    ]),
  ])
})

test('printable', () => {
  expect(printable('a\nb\tc\r\x1b[31m\u202egpj\u2028\u0085 é 🦖')).toBe(
    'a\\nb\\tc\\r\\u001b[31m\\u202egpj\\u2028\\u0085 é 🦖',
  )
})
