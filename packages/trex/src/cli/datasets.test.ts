import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { copyFile, link, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { matFile } from '../../test/support/matWriter.js'
import { makeImages, trex } from '../../test/support/trex.js'
import { TRANSFER_SETS } from '../transfer/datasets/index.js'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'trex-datasets-'))
const images = join(dir, 'images')
beforeAll(() => makeImages(images, { classes: 2, perClass: 6 }))
afterAll(() => rmSync(dir, { recursive: true }))

test.each([[['datasets']], [['datasets', 'check']]])('%j --help ends with an example', async (command) => {
  const { status, stdout } = await trex([...command, '--help'])
  expect(status).toBe(0)
  expect(stdout).toMatch(/Example:\n {2}\$ trex datasets check photos --json > photos.json\n$/)
})

test('check: a table, or JSON with nothing else on stdout; exit code 0', async () => {
  const plain = await trex(['datasets', 'check', images])
  expect(plain.status).toBe(0)
  expect(plain.stdout).toMatch(
    /^source +image folder\nimages +12: 10 train, 2 val\nclasses +2 of 6 images\nformats +12 PNG\n/,
  )
  expect(plain.stdout).toMatch(/\nok\n$/)
  const { status, stdout } = await trex(['datasets', 'check', images, '--json', '--val-fraction', '0.5'])
  expect(status).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    data: images,
    source: 'image folder',
    ok: true,
    images: { train: 6, val: 6 },
  })
})

test('check: an image in both parts is exit code 1', async () => {
  const copy = join(images, 'class0/copy.png')
  await copyFile(join(images, 'class0/1.png'), copy)
  try {
    // Of 7 images 3 are held out: with one of these seeds the two copies are apart.
    const runs = await Promise.all(
      ['0', '1', '2', '3'].map((seed) =>
        trex(['datasets', 'check', images, '--json', '--val-fraction', '0.5', '--seed', seed]),
      ),
    )
    for (const { status, stdout } of runs) expect(status).toBe(JSON.parse(stdout).duplicates.acrossSplits)
    expect(new Set(runs.map(({ status }) => status))).toEqual(new Set([0, 1]))
  } finally {
    await rm(copy)
  }
})

test('list: every set with its counts, and which of them are below a folder', async () => {
  const root = join(dir, 'sets')
  for (const folder of ['dtd/images', 'eurosat/Forest', 'cog'])
    mkdirSync(join(root, folder), { recursive: true })
  const { status, stdout } = await trex(['datasets', 'list', '--root', root])
  expect(status).toBe(0)
  const [head, ...lines] = stdout.trimEnd().split('\n')
  expect(head).toMatch(/^name +classes +trainval +test +probe +in the paper +there +licence$/)
  expect(lines.map((line) => line.split(' ')[0])).toEqual(TRANSFER_SETS.map(({ name }) => name))
  expect(lines.find((line) => line.startsWith('dtd'))).toMatch(
    /^dtd +47 +3,760 +1,880 +lbfgs +among the 13 +lacks labels\/train1.txt and 2 more +research use$/,
  )
  expect(lines.filter((line) => / yes /.test(line)).map((line) => line.split(' ')[0])).toEqual(
    'cog-l1 cog-l2 cog-l3 cog-l4 cog-l5 eurosat'.split(' '),
  )
  const listed = JSON.parse((await trex(['datasets', 'list', '--root', root, '--json'])).stdout)
  expect(listed.find(({ name }: { name: string }) => name === 'dtd')).toMatchObject({
    classes: 47,
    trainval: 3760,
    presence: { found: false, missing: ['labels/train1.txt', 'labels/val1.txt', 'labels/test1.txt'] },
  })
  expect(JSON.parse((await trex(['datasets', 'list', '--json'])).stdout)[0].presence).toBeNull()
})

test('how: where to get a set, and what its folder holds', async () => {
  const { status, stdout } = await trex(['datasets', 'how', 'cars196'])
  expect(status).toBe(0)
  expect(stdout).toMatch(/^Stanford Cars\n196 classes, 8,144 trainval and 8,041 test images; split: /)
  expect(stdout).toContain('\nROOT/cars_annos.mat\n')
  const told = JSON.parse((await trex(['datasets', 'how', 'cars196', '--json'])).stdout)
  expect(stdout).toContain(told.how)
})

test('check NAME ROOT: counts, and every image that the lists name', async () => {
  const good = join(dir, 'own')
  await makeImages(join(good, 'train'), { classes: 2, perClass: 2 })
  await makeImages(join(good, 'test'), { classes: 2, perClass: 2 })
  const fine = await trex(['datasets', 'check', 'folder', good, '--json'])
  // The same images are in both parts: as the publisher has it.
  expect(JSON.parse(fine.stdout)).toMatchObject({ set: 'folder', ok: true, images: { train: 4, val: 4 } })
  expect(JSON.parse(fine.stdout).duplicates.acrossSplits).toBeGreaterThan(0)
  expect(fine.status).toBe(0)

  const nyu = join(dir, 'nyu')
  mkdirSync(join(nyu, 'images'), { recursive: true })
  const ids = Array.from({ length: 1449 }, (_, i) => i + 1)
  const splits = { trainNdxs: ids.slice(0, 795), testNdxs: ids.slice(795) }
  writeFileSync(join(nyu, 'splits.mat'), matFile(splits, { compressed: true }))
  writeFileSync(join(nyu, 'scene_types.txt'), ids.map((id) => (id % 2 ? 'kitchen' : 'foyer')).join('\n'))
  await copyFile(join(good, 'train/class0/0.png'), join(nyu, 'images/0001.png'))
  const missing = await trex(['datasets', 'check', 'nyu-v2', nyu, '--quick'])
  expect(missing.status).toBe(1)
  expect(missing.stdout).toContain('1,449: 795 train, 654 val')
  expect(missing.stdout).toContain(`cannot read ${nyu}/images/0002.png: there is no such file`)
  expect(missing.stdout).toContain('not ok: 1,448 images cannot be read')

  writeFileSync(join(nyu, 'splits.mat'), matFile({ ...splits, testNdxs: [1] }))
  const { status, stderr } = await trex(['datasets', 'check', 'nyu-v2', nyu])
  expect(status).toBe(1)
  expect(stderr).toContain(`${nyu} is not all of NYU Depth v2, scenes: 1 test images, expected 654`)
})

test('check NAME ROOT: in a multi-label set an image counts for each of its classes', async () => {
  const root = join(dir, 'voc')
  const main = join(root, 'VOCdevkit/VOC2007/ImageSets/Main')
  mkdirSync(main, { recursive: true })
  mkdirSync(join(root, 'VOCdevkit/VOC2007/JPEGImages'))
  for (const name of VOC_CLASSES)
    for (const [part, count] of [
      ['trainval', 5011],
      ['test', 4952],
    ] as const) {
      const value = (i: number) => (name === 'person' || (name === 'dog' && i < 7) ? 1 : -1)
      writeFileSync(
        join(main, `${name}_${part}.txt`),
        Array.from({ length: count }, (_, i) => `${part}${i} ${value(i)}`).join('\n'),
      )
    }
  const { stdout } = await trex(['datasets', 'check', 'voc2007', root, '--quick', '--json'])
  const { classes, smallestClass, largestClass } = JSON.parse(stdout)
  expect(classes[VOC_CLASSES.indexOf('dog')]).toEqual({ name: 'dog', train: 7, val: 7 })
  expect(largestClass).toEqual({ name: 'person', train: 5011, val: 4952 })
  expect(smallestClass).toMatchObject({ train: 0, val: 0 })
})

const VOC_CLASSES =
  'aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep sofa train tvmonitor'.split(
    ' ',
  )

test.each([
  [
    ['datasets', 'how', 'nyuv2'],
    'nyuv2 is no data set that is known (did you mean "nyu-v2"?)',
    'trex datasets list',
  ],
  [
    ['datasets', 'check', 'dtd'],
    'dtd is a known data set: say where its files are',
    'trex datasets check dtd ROOT',
  ],
  [
    ['datasets', 'check', 'dtd', '/no/such'],
    '/no/such lacks what Describable Textures is read from',
    'ROOT/images/<class>',
  ],
  [['datasets', 'check', 'dtd', 'x', '--seed', '1'], 'the split of dtd is given', 'train1 + val1, test1'],
  [['datasets', 'list', '--root', '/no/such'], '/no/such is no folder', 'name the folder'],
  [['datasets', 'chek', 'x'], "unknown command 'chek'", 'Did you mean check?'],
  [['datasets', 'check', 'x', '--jsn'], "unknown option '--jsn'", 'Did you mean --json?'],
  [['datasets', 'check', 'x', '--val-fraction', '1'], "argument '1' is invalid", 'It is not in [0, 1).'],
  [['datasets', 'check', 'x', '--seed', '-1'], "argument '-1' is invalid", 'It is not a whole number'],
  [
    ['datasets', 'check', '/no/such'],
    'cannot read /no/such: there is no such folder or file',
    'DATA is a folder of class folders',
  ],
])('%j is an error with a remedy', async (args, error, remedy) => {
  const { status, stdout, stderr } = await trex(args)
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toContain(error)
  expect(stderr).toContain(remedy)
  expect(stderr).not.toMatch(/^\s+at /m)
})

test('Ctrl-C ends a check, says how far it came, and prints no report', async () => {
  const many = await makeImages(join(dir, 'many'), { classes: 2, perClass: 10 })
  const large = join(dir, 'large.png')
  await sharp({ create: { width: 6000, height: 6000, channels: 3, background: 'red' } })
    .png()
    .toFile(large)
  for (let i = 0; i < 300; i++) await link(large, join(many, `class0/large${i}.png`))
  const child = spawn(process.execPath, [main, 'datasets', 'check', many])
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (text) => {
    said.stdout += text
  })
  child.stderr.on('data', (text) => {
    said.stderr += text
  })
  setTimeout(() => child.kill('SIGINT'), 3000) // by then it decodes; the whole would take tens of seconds
  const status = await new Promise((done) => child.on('close', done))
  expect({ status, stdout: said.stdout }).toEqual({ status: 130, stdout: '' })
  expect(said.stderr).toMatch(/stopped: \d+ of 320 images were checked\n$/)
})
