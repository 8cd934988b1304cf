import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pack } from 'tar-stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TrexError } from '../../errors.js'
import { readImageDataset } from './imageFolder.js'
import type { ImageDataset, Sample } from './sample.js'
import { readWebDataset } from './webDataset.js'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'trex-wds-'))
})
afterEach(() => rm(root, { recursive: true }))

type Members = Record<string, string | Buffer>

/** Written by tar-stream, which knows nothing of the reader. */
async function writeTar(name: string, members: Members): Promise<string> {
  const tar = pack()
  for (const [path, data] of Object.entries(members)) {
    tar.entry(path.endsWith('/') ? { name: path, type: 'directory' } : { name: path }, data as Buffer)
  }
  tar.finalize()
  await mkdir(dirname(join(root, name)), { recursive: true })
  await writeFile(join(root, name), await buffer(tar))
  return join(root, name)
}

async function bytesOf({ at }: Sample): Promise<Buffer> {
  if (at?.kind !== 'slice') throw new Error('not a slice')
  const file = await open(at.path)
  try {
    return (await file.read(Buffer.alloc(at.length), 0, at.length, at.offset)).buffer
  } finally {
    await file.close()
  }
}
const shown = (data: ImageDataset, part: 'train' | 'val' = 'train') =>
  data[part].map(({ path, label }) => `${data.classes[label]} ${relative(root, path)}`)
const failure = async (spec: string): Promise<TrexError> => {
  const error = await readWebDataset(spec).catch((e) => e)
  expect(error).toBeInstanceOf(TrexError)
  expect(error.hint).toBeTruthy()
  return error
}

describe('an archive of class folders', () => {
  const names = [
    '10.jpg',
    '9.JPG',
    'Z.png',
    'a.b.webp',
    'a/1.tif',
    'a.jpg',
    'ä ö.avif',
    'deep/er/2.jpeg',
    'n.txt',
  ]
  const long = `${'long/'.repeat(40)}name.jpg`
  const tree = (top: string) =>
    Object.fromEntries(
      ['B', 'b', 'é', 'cat'].flatMap((c) => [...names, long].map((n) => [`${top}${c}/${n}`, `${c} ${n}`])),
    )

  async function unpack(members: Members): Promise<string> {
    for (const [path, data] of Object.entries(members)) {
      const target = join(root, 'tree', path)
      await mkdir(path.endsWith('/') ? target : dirname(target), { recursive: true })
      if (!path.endsWith('/')) await writeFile(target, data)
    }
    return join(root, 'tree')
  }

  test.each([
    ['class folders', '', '', {}],
    ['below a top folder', 'photos/', 'photos', {}],
    ['below two, with ./', './data/photos/', 'data/photos', {}],
    [
      'train/ and val/',
      'set/train/',
      'set',
      { 'set/val/é/v.jpg': 'v', 'set/val/B/w.jpg': 'w', 'set/notes/x.jpg': 'n' },
    ],
    ['train/ alone', 'train/', '', {}],
    ['train/ and test/', 'train/', '', { 'test/B/1.jpg': 't' }],
    ['a class called train', '', '', { 'train/1.jpg': '1', 'train/2.jpg': '2' }],
    [
      'hidden files',
      '',
      '',
      { 'B/._1.jpg': 'x', '.git/1.jpg': 'x', 'B/.thumbs/1.jpg': 'x', '.DS_Store': 'x' },
    ],
  ])('%s: classes, order, split and bytes are those of the unpacked tree', async (_, top, below, more) => {
    const members = { ...tree(top), ...more }
    const entries = Object.entries(members)
    const archive = await writeTar('set.tar', Object.fromEntries(entries.reverse()) as Members)
    const folder = join(await unpack(members), below)
    for (const seed of [0, 5]) {
      const [inTar, inFolder] = [
        await readWebDataset(archive, { seed, valFraction: 0.3 }),
        await readImageDataset(folder, { seed, valFraction: 0.3 }),
      ]
      expect(inTar.classes).toEqual(inFolder.classes)
      expect(inTar.ignored).toEqual(inFolder.ignored)
      for (const part of ['train', 'val'] as const) {
        expect(inTar[part].map(({ label }) => label)).toEqual(inFolder[part].map(({ label }) => label))
        const of = (samples: readonly Sample[], start: string) =>
          samples.map(({ path }) => relative(start, path))
        expect(of(inTar[part], join(archive, below))).toEqual(of(inFolder[part], folder))
        for (const [i, sample] of inTar[part].entries()) {
          expect(await bytesOf(sample)).toEqual(await readFile(inFolder[part][i]!.path))
        }
      }
    }
  })

  test('several archives are one tree', async () => {
    await writeTar('s-0.tar', { 'a/2.jpg': '2', 'b/1.jpg': '1' })
    await writeTar('s-1.tar', { 'a/1.jpg': '1', 'c/1.jpg': '1', 'b/1.jpg': 'another' })
    const data = await readWebDataset(`wds:${root}/s-{0..1}.tar`, { valFraction: 0 })
    const expected = [
      'a s-1.tar/a/1.jpg',
      'a s-0.tar/a/2.jpg',
      'b s-0.tar/b/1.jpg',
      'b s-1.tar/b/1.jpg',
      'c s-1.tar/c/1.jpg',
    ]
    expect(shown(data)).toEqual(expected)
  })

  test('shards called train and val decide; test is left out', async () => {
    await writeTar('x-train-0.tar', { 'train/a/1.jpg': '', 'train/b/1.jpg': '' })
    await writeTar('x-train-1.tar', { 'train/a/2.jpg': '' })
    await writeTar('x-val-0.tar', { 'val/b/3.jpg': '' })
    await writeTar('x-test-0.tar', { 'test/b/4.jpg': '' })
    const data = await readWebDataset(`wds:${root}/x-*.tar`)
    expect(shown(data)).toEqual([
      'a x-train-0.tar/train/a/1.jpg',
      'a x-train-1.tar/train/a/2.jpg',
      'b x-train-0.tar/train/b/1.jpg',
    ])
    expect(shown(data, 'val')).toEqual(['b x-val-0.tar/val/b/3.jpg'])
    expect(data.ignored).toEqual({ [`shard ${root}/x-test-0.tar`]: 1 })
  })

  test.each<[string, Members, RegExp]>([
    ['one class', { 'cat/1.jpg': '' }, /a single class, cat/],
    ['flat', { '1.jpg': '', '2.jpg': '' }, /1\.jpg has no class: it lies in no class folder/],
    [
      'an image beside class folders',
      { 'a/1.jpg': '', 'b/1.jpg': '', '1.jpg': '' },
      /tar\/1\.jpg has no class/,
    ],
    [
      'a class without images',
      { 'a/1.jpg': '', 'b/1.jpg': '', 'c/': '' },
      /class folder c of .* has no images/,
    ],
    [
      'no images',
      { 'a/1.txt': '', 'b/1.bmp': '', README: '' },
      /no images in .*tar, only \.txt, \.bmp, files without an/,
    ],
    [
      'val class unknown',
      { 'train/a/1.jpg': '', 'train/b/1.jpg': '', 'val/z/1.jpg': '' },
      /does not have: z$/,
    ],
  ])('refuses: %s', async (_, members, message) => {
    const archive = await writeTar('s.tar', members)
    expect((await failure(archive)).message).toMatch(message)
    expect((await failure(archive)).message).toContain(archive)
  })
})

describe('shards with labels', () => {
  test('KEY.cls with integers, whatever its order; KEY ends at the first dot', async () => {
    await writeTar('s-0.tar', {
      '000.jpg': 'x',
      '000.cls': '2',
      '001.cls': ' 0\n',
      '001.seg.png': 'm',
      '001.png': 'y',
      '001.txt': '',
    })
    await writeTar('s-1.tar', {
      'sub.d/000.v1.jpg': 'no',
      'sub.d/000.jpeg': 'z',
      'sub.d/000.cls': '1',
      'x.cls': '9',
    })
    const data = await readWebDataset(`wds:${root}/s-0.tar,${root}/s-1.tar`, { valFraction: 0 })
    expect(data.classes).toEqual(['0', '1', '2'])
    expect(shown(data)).toEqual(['2 s-0.tar/000.jpg', '0 s-0.tar/001.png', '1 s-1.tar/sub.d/000.jpeg'])
    expect(await Promise.all(data.train.map(bytesOf))).toEqual(
      ['x', 'y', 'z'].map((text) => Buffer.from(text)),
    )
    expect(data.ignored).toEqual({ '.seg.png': 1, '.txt': 1, '.v1.jpg': 1, '.cls': 1 })
  })
  test('KEY.cls with names', async () => {
    const archive = await writeTar('s.tar', {
      '0.jpg': '',
      '0.cls': 'zebra\n',
      '1.jpg': '',
      '1.cls': 'Äpfel',
      '2.jpg': '',
      '2.cls': 'zebra',
    })
    const data = await readWebDataset(archive, { valFraction: 0 })
    expect(data.classes).toEqual(['zebra', 'Äpfel'])
    expect(data.train.map(({ label }) => label)).toEqual([0, 1, 0])
  })
  test('KEY.json with label or cls; both kinds of file that agree', async () => {
    const archive = await writeTar('s.tar', {
      '0.jpg': '',
      '0.json': '{"label": 1, "width": 3}',
      '1.jpg': '',
      '1.json': '{"cls": "0"}',
      '2.jpg': '',
      '2.cls': '1',
      '2.json': '{"label": 1}',
      '3.jpg': '',
      '3.cls': '0',
      '3.json': '{"label": "a name"}',
    })
    expect((await readWebDataset(archive, { valFraction: 0 })).train.map(({ label }) => label)).toEqual([
      1, 0, 1, 0,
    ])
  })
  test('folders train/ and val/ at the top decide the parts', async () => {
    const keys = { 'set/train/0': '0', 'set/train/1': '1', 'set/val/0': '1', 'set/test/0': '7' }
    const members: [string, string][] = Object.entries(keys).flatMap<[string, string]>(([key, cls]) => [
      [`${key}.cls`, cls],
      [`${key}.jpg`, ''],
    ])
    const data = await readWebDataset(await writeTar('s.tar', Object.fromEntries(members)))
    expect(shown(data)).toEqual(['0 s.tar/set/train/0.jpg', '1 s.tar/set/train/1.jpg'])
    expect(shown(data, 'val')).toEqual(['1 s.tar/set/val/0.jpg'])
  })
  test('class folders with JSON that says no label', async () => {
    const archive = await writeTar('s.tar', {
      'a/0.jpg': '',
      'a/0.json': '{"size": 1}',
      'b/1.jpg': '',
      'b/1.json': 'broken',
    })
    const data = await readWebDataset(archive)
    expect([data.classes, data.ignored]).toEqual([['a', 'b'], { '.json': 2 }])
  })

  const two = { '0.jpg': '', '0.cls': '0', '1.jpg': '', '1.cls': '1' }
  test.each<[string, Members, RegExp]>([
    ['an image without a label', { ...two, '2.jpg': '' }, /s\.tar\/2\.jpg has no label/],
    ['an empty label', { ...two, '2.jpg': '', '2.cls': ' \n' }, /s\.tar\/2\.cls is no label/],
    ['a label of two lines', { ...two, '2.jpg': '', '2.cls': 'a\nb' }, /2\.cls is no label/],
    [
      'a label that is not UTF-8',
      { ...two, '2.jpg': '', '2.cls': Buffer.of(0xff, 0xfe) },
      /2\.cls is no label/,
    ],
    [
      'a label of 5,000 bytes',
      { ...two, '2.jpg': '', '2.cls': 'x'.repeat(5000) },
      /2\.cls is not used: it is too large/,
    ],
    [
      'integers and names',
      { ...two, '2.jpg': '', '2.cls': 'cat' },
      /s\.tar\/0\.jpg has the label 0, .*s\.tar\/2\.jpg has the label "cat"/,
    ],
    [
      'an integer below 0',
      { ...two, '2.jpg': '', '2.cls': '-1' },
      /s\.tar\/2\.jpg has the label -1, which is out of range/,
    ],
    [
      'an integer above 2^31',
      { ...two, '2.jpg': '', '2.cls': '2147483648' },
      /2147483648, which is out of range/,
    ],
    [
      'gaps',
      { ...two, '2.jpg': '', '2.cls': '5' },
      /go up to 5, but no training image has 2, 3, 4 \(3 missing\)/,
    ],
    [
      'a large gap',
      { ...two, '2.jpg': '', '2.cls': '2147483647' },
      /has 2, 3, .*, 11, \.\.\. \(2147483645 missing\)/,
    ],
    [
      'labels that differ',
      { ...two, '1.json': '{"label": 0}' },
      /1\.jpg has two labels: the label 1 by \.cls, the label 0 by/,
    ],
    [
      'two images of a key',
      { ...two, '1.png': '' },
      /s\.tar\/1\.jpg and 1\.png are two images of one sample, 1/,
    ],
    ['one class', { '0.jpg': '', '0.cls': '0', '1.jpg': '', '1.cls': '0' }, /a single class, 0/],
  ])('refuses: %s', async (_, members, message) => {
    expect((await failure(await writeTar('s.tar', members))).message).toMatch(message)
  })

  test('refuses a class that only validation has', async () => {
    await writeTar('train-0.tar', two)
    await writeTar('val-0.tar', { '0.jpg': '', '0.cls': '2' })
    expect((await failure(`wds:${root}/*-0.tar`)).message).toMatch(
      /val-0\.tar\/0\.jpg has the label 2, a class that no/,
    )
  })
  test('refuses shards of which only some say their part', async () => {
    for (const name of ['train-0', 'val-0', 'more']) await writeTar(`${name}.tar`, two)
    expect((await failure(`wds:${root}/*.tar`)).message).toMatch(
      /more\.tar is neither for training nor for validation/,
    )
  })
})

test('an aborted signal ends the reading with its reason', async () => {
  const archive = await writeTar('s.tar', { 'a/1.jpg': '', 'b/1.jpg': '' })
  const reason = new Error('enough')
  await expect(readWebDataset(archive, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})
