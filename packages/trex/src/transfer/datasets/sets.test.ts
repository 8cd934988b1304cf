import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type MatInput, matFile } from '../../../test/support/matWriter.js'
import type { Sample } from '../../data/sources/sample.js'
import { TRANSFER_SETS, type TransferData, transferSetOf } from './index.js'

const golden = fileURLToPath(new URL('../../../test/golden/sets/', import.meta.url))
const expected = JSON.parse(readFileSync(join(golden, 'expected.json'), 'utf8'))

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'trex-sets-'))
})
afterEach(() => rmSync(root, { recursive: true }))

/** Writes files below the root; lines as a list, folders by a name that ends with `/`. */
function files(tree: Record<string, string | Uint8Array | readonly string[]>): void {
  for (const [name, content] of Object.entries(tree)) {
    const path = join(root, name)
    mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true })
    if (!name.endsWith('/'))
      writeFileSync(path, Array.isArray(content) ? `${content.join('\n')}\n` : (content as string))
  }
}

/** Opens the miniature, which must be refused with the published counts and accepted with its own. */
async function open(name: string): Promise<TransferData> {
  const set = transferSetOf(name)
  const data = await set.open(root, { expect: null })
  const found = { classes: data.classes.length, trainval: data.trainval.length, test: data.test.length }
  await expect(set.open(root, { expect: found })).resolves.toEqual(data)
  if (set.counts) {
    const error = await set.open(root).catch((e) => e)
    expect(error.name).toBe('TrexError')
    expect(error.message).toContain(`${root} is not all of ${set.title}: `)
    expect(error.message).toContain(`${found.test} test images, expected ${set.counts.test}`)
    expect(error.hint).toBe(set.how)
  }
  return data
}

const shown = (samples: readonly Sample[]) =>
  samples.map(({ path, label }) => `${relative(root, path)} ${label}`)
const failure = (name: string) =>
  transferSetOf(name)
    .open(root, { expect: null })
    .then(
      () => 'no error',
      (error) => {
        expect(error.name).toBe('TrexError')
        expect(error.hint).toBeTruthy()
        return (error.message as string).replaceAll(root, 'ROOT')
      },
    )

test('names are unique, and 13 sets make the score, 15 the table', () => {
  expect(new Set(TRANSFER_SETS.map(({ name }) => name)).size).toBe(TRANSFER_SETS.length)
  const of = (role: string) => TRANSFER_SETS.filter((set) => set.role === role).map(({ name }) => name)
  expect(of('training task')).toEqual(['in1k'])
  expect(of('among the 13')).toEqual(
    'cog-l1 cog-l2 cog-l3 cog-l4 cog-l5 aircraft cars196 dtd eurosat flowers pets food101 sun397'.split(' '),
  )
  expect(of('among the 15')).toEqual(['inat2018', 'inat2019'])
  expect(() => transferSetOf('dt')).toThrow('dt is no data set that is known')
})

test.each(TRANSFER_SETS.map((set) => [set.name, set] as const))(
  '%s: what is missing is named, with how to get it',
  async (_, set) => {
    const gone = await set.open(join(root, 'gone')).catch((e) => e)
    expect(gone.message).toBe(`${join(root, 'gone')} lacks what ${set.title} is read from: the folder itself`)
    expect(gone.hint).toBe(set.how)
    const error = await set.open(root).catch((e) => e)
    expect(error.name).toBe('TrexError')
    expect(error.message).toContain(root)
    expect(error.hint).toBeTruthy()
    if (set.needs.length > 0) expect(error.message).toContain(set.needs.join(', '))
  },
)

describe('class folders', () => {
  test('in1k', async () => {
    files({
      'train/n01/a.JPEG': '',
      'train/n02/b.JPEG': '',
      'train/n02/c.JPEG': '',
      'val/n01/d.JPEG': '',
      'val/n02/e.JPEG': '',
    })
    const { classes, trainval, test } = await open('in1k')
    expect(classes).toEqual(['n01', 'n02'])
    expect(shown(trainval)).toEqual(['train/n01/a.JPEG 0', 'train/n02/b.JPEG 1', 'train/n02/c.JPEG 1'])
    expect(shown(test)).toEqual(['val/n01/d.JPEG 0', 'val/n02/e.JPEG 1'])
    files({ 'val/n03/f.JPEG': '' })
    expect(await failure('in1k')).toBe('the class folders are not the same: ROOT/train lacks n03')
  })

  test('folder: trainval before train, test before val', async () => {
    files({ 'train/a/1.png': '', 'val/a/2.png': '' })
    expect(shown((await open('folder')).test)).toEqual(['val/a/2.png 0'])
    files({ 'trainval/a/3.png': '', 'test/a/4.png': '' })
    const { trainval, test } = await open('folder')
    expect([...shown(trainval), ...shown(test)]).toEqual(['trainval/a/3.png 0', 'test/a/4.png 0'])
    rmSync(join(root, 'trainval'), { recursive: true })
    rmSync(join(root, 'train'), { recursive: true })
    expect(await failure('folder')).toBe('ROOT has no trainval/ or train/')
  })

  test('eurosat: 810 test images a class, whatever else there is', async () => {
    const names = Array.from({ length: 830 }, (_, i) => `${i}.jpg`)
    files(
      Object.fromEntries(
        ['Forest', 'River'].flatMap((name) => names.map((image) => [`${name}/${image}`, ''])),
      ),
    )
    const { classes, trainval, test } = await open('eurosat')
    expect([classes, trainval.length, test.length]).toEqual([['Forest', 'River'], 40, 1620])
    expect(new Set([...shown(trainval), ...shown(test)]).size).toBe(1660)
    expect(test.filter(({ label }) => label === 0)).toHaveLength(810)
    // The draw is recorded here: a change would make numbers that were measured incomparable.
    expect(shown(trainval).slice(0, 3)).toEqual(EUROSAT_FIRST)
    files({ 'Annual/1.jpg': '' })
    expect((await transferSetOf('eurosat').open(root, { expect: null })).test).toHaveLength(1621)
  })

  test('caltech101: 30 trainval images a class, the rest is test', async () => {
    const images = (name: string, n: number) =>
      Array.from({ length: n }, (_, i) => [`${name}/image_${i}.jpg`, ''])
    files(Object.fromEntries([...images('BACKGROUND_Google', 31), ...images('ant', 42)]))
    const { classes, trainval, test } = await open('caltech101')
    expect(classes).toEqual(['BACKGROUND_Google', 'ant'])
    expect(
      [0, 1].map((c) => [trainval, test].map((part) => part.filter(({ label }) => label === c).length)),
    ).toEqual([
      [30, 1],
      [30, 12],
    ])
  })
})

describe('text lists', () => {
  test('aircraft: variants with spaces', async () => {
    files({
      'data/images/': '',
      'data/variants.txt': ['707-320', 'Cessna 172'],
      'data/images_variant_trainval.txt': ['0025825 707-320', '0000001 Cessna 172'],
      'data/images_variant_test.txt': ['0000002 Cessna 172'],
    })
    const { classes, trainval, test } = await open('aircraft')
    expect(classes).toEqual(['707-320', 'Cessna 172'])
    expect(shown(trainval)).toEqual(['data/images/0025825.jpg 0', 'data/images/0000001.jpg 1'])
    expect(shown(test)).toEqual(['data/images/0000002.jpg 1'])
    files({ 'data/images_variant_test.txt': ['0000002 Cessna 172', '0000003 Cessna'] })
    expect(await failure('aircraft')).toBe(
      'ROOT/data/images_variant_test.txt:2: "Cessna" is none of the 2 classes',
    )
    files({ 'data/images_variant_test.txt': ['../../../etc/passwd 707-320'] })
    expect(await failure('aircraft')).toBe(
      'ROOT/data/images_variant_test.txt:1: "../../../etc/passwd.jpg" is no path inside ROOT/data/images',
    )
  })

  test('dtd', async () => {
    files({
      'images/': '',
      'labels/train1.txt': 'braided/b_1.jpg\r\nbanded/b_2.jpg\r\n',
      'labels/val1.txt': ['banded/b_3.jpg'],
      'labels/test1.txt': ['braided/b_4.jpg'],
    })
    const { classes, trainval, test } = await open('dtd')
    expect(classes).toEqual(['banded', 'braided'])
    expect(shown(trainval)).toEqual([
      'images/braided/b_1.jpg 1',
      'images/banded/b_2.jpg 0',
      'images/banded/b_3.jpg 0',
    ])
    expect(shown(test)).toEqual(['images/braided/b_4.jpg 1'])
    for (const line of [
      '/etc/passwd/..',
      'banded/../../x.jpg',
      'C:\\x.jpg',
      '..\\..\\x.jpg',
      'a/\0.jpg',
      '',
      'a/..',
    ]) {
      files({ 'labels/test1.txt': `${line}\nbanded/b_9.jpg\n` })
      expect(await failure('dtd')).toMatch(/^ROOT\/labels\/test1.txt:1: ".*" is no path inside ROOT\/images$/)
    }
    files({ 'labels/test1.txt': '\n'.repeat((1 << 22) + 1) })
    expect(await failure('dtd')).toBe('ROOT/labels/test1.txt has 4194305 lines, more than 4194304')
    files({ 'labels/test1.txt': Uint8Array.of(0x62, 0xff) })
    expect(await failure('dtd')).toBe('ROOT/labels/test1.txt is no UTF-8 text')
  })

  test('food101', async () => {
    files({
      'images/': '',
      'meta/train.txt': ['apple_pie/1005649', 'waffles/7'],
      'meta/test.txt': ['waffles/8'],
    })
    const { classes, trainval, test } = await open('food101')
    expect(classes).toEqual(['apple_pie', 'waffles'])
    expect([...shown(trainval), ...shown(test)]).toEqual([
      'images/apple_pie/1005649.jpg 0',
      'images/waffles/7.jpg 1',
      'images/waffles/8.jpg 1',
    ])
  })

  test('sun397: classes in the order of ClassName.txt, some with a folder more', async () => {
    files({
      'SUN397/': '',
      'ClassName.txt': ['/a/abbey', '/a/apse/indoor', '/a/alley'],
      'Training_01.txt': ['/a/apse/indoor/sun_1.jpg', '/a/alley/sun_2.jpg'],
      'Testing_01.txt': ['/a/abbey/sun_3.jpg'],
    })
    const { classes, trainval, test } = await open('sun397')
    expect(classes).toEqual(['a/abbey', 'a/apse/indoor', 'a/alley'])
    expect([...shown(trainval), ...shown(test)]).toEqual([
      'SUN397/a/apse/indoor/sun_1.jpg 1',
      'SUN397/a/alley/sun_2.jpg 2',
      'SUN397/a/abbey/sun_3.jpg 0',
    ])
  })

  test('pets: breeds by number, named by their images', async () => {
    const breeds = Array.from({ length: 37 }, (_, i) => `Breed_${String.fromCharCode(97 + (i % 26))}${i}`)
    files({
      'images/': '',
      'annotations/trainval.txt': breeds.map((breed, i) => `${breed}_10${i} ${i + 1} 1 1`),
      'annotations/test.txt': [`${breeds[36]}_7 37 2 25`],
    })
    const { classes, trainval, test } = await open('pets')
    expect(classes).toEqual(breeds)
    expect(shown(trainval)[3]).toBe(`images/${breeds[3]}_103.jpg 3`)
    expect(shown(test)).toEqual([`images/${breeds[36]}_7.jpg 36`])
    files({ 'annotations/test.txt': [`${breeds[36]}_7 38 2 25`] })
    expect(await failure('pets')).toBe('ROOT/annotations/test.txt:1: "38" is no number from 1 to 37')
    files({ 'annotations/test.txt': [`${breeds[35]}_7 37 2 25`] })
    expect(await failure('pets')).toContain(`class 37 is ${breeds[35]} here and ${breeds[36]} before`)
  })

  test('places205', async () => {
    const lists = 'trainvalsplit_places205'
    const images = 'data/vision/torralba/deeplearning/images256'
    files({
      [`${images}/`]: '',
      [`${lists}/train_places205.csv`]: ['a/abbey/gsun_1.jpg 0', 'a/apse/indoor/gsun_2.jpg 1'],
      [`${lists}/val_places205.csv`]: ['a/abbey/gsun_3.jpg 0'],
    })
    const { classes, trainval, test } = await open('places205')
    expect(classes).toEqual(['a/abbey', 'a/apse/indoor'])
    expect([...shown(trainval), ...shown(test)]).toEqual([
      `${images}/a/abbey/gsun_1.jpg 0`,
      `${images}/a/apse/indoor/gsun_2.jpg 1`,
      `${images}/a/abbey/gsun_3.jpg 0`,
    ])
    files({ [`${lists}/val_places205.csv`]: ['a/alley/gsun_3.jpg 0'] })
    expect(await failure('places205')).toContain('class 0 is a/alley here and a/abbey before')
    files({ [`${lists}/val_places205.csv`]: ['a/abbey/gsun_3.jpg 205'] })
    expect(await failure('places205')).toContain('"205" is no number from 0 to 204')
  })

  test('birdsnap', async () => {
    files({
      'images/': '',
      'species.txt': [
        'id\tcommon\tscientific\tdir',
        '1\tAcadian Flycatcher\tE v\tAcadian',
        '2\tAcorn Woodpecker\tM f\tAcorn',
      ],
      'images.txt': [
        'url\tmd5\tpath\tspecies_id\tbb_x1',
        'http://x\t0\tAcorn/1.jpg\t2\t5',
        'http://y\t0\tAcadian/2.jpg\t1\t5',
      ],
      'test_images.txt': ['path', 'Acadian/2.jpg'],
    })
    const { classes, trainval, test } = await open('birdsnap')
    expect(classes).toEqual(['Acadian Flycatcher', 'Acorn Woodpecker'])
    expect([...shown(trainval), ...shown(test)]).toEqual(['images/Acorn/1.jpg 1', 'images/Acadian/2.jpg 0'])
    files({ 'test_images.txt': ['path', 'Acadian/3.jpg'] })
    expect(await failure('birdsnap')).toBe(
      'ROOT/test_images.txt has Acadian/3.jpg, which ROOT/images.txt does not have',
    )
    files({ 'test_images.txt': ['name', 'Acadian/2.jpg'] })
    expect(await failure('birdsnap')).toBe('ROOT/test_images.txt has no column path in its first line')
  })
})

describe('MATLAB files', () => {
  test.each(['', '-z'])('cars196, as SciPy writes it%s', async (suffix) => {
    files({ 'car_ims/': '', 'cars_annos.mat': readFileSync(join(golden, `cars_annos${suffix}.mat`)) })
    const { classes, trainval, test } = await open('cars196')
    expect(classes).toEqual(expected.cars.classes)
    const part = (wanted: number) =>
      expected.cars.cars
        .filter((car: number[]) => car[6] === wanted)
        .map((car: number[]) => `${car[0]} ${car[5]! - 1}`)
    expect(shown(trainval)).toEqual(part(0))
    expect(shown(test)).toEqual(part(1))
  })

  test.each<[string, Record<string, MatInput>, string]>([
    [
      'path',
      { relative_im_path: '../../x.jpg', class: [1], test: [0] },
      ': "../../x.jpg" is no path inside ROOT',
    ],
    [
      'class',
      { relative_im_path: 'x.jpg', class: [2], test: [0] },
      '.class(1) = 2 is no whole number from 1 to 1',
    ],
    [
      'test',
      { relative_im_path: 'x.jpg', class: [1], test: [2] },
      '.test(1) = 2 is no whole number from 0 to 1',
    ],
  ])('cars196: a wrong %s', async (_, car, message) => {
    const structs = [{ relative_im_path: 'a.jpg', class: [1], test: [1] }, car]
    files({
      'car_ims/': '',
      'cars_annos.mat': matFile({ annotations: { structs }, class_names: { cells: ['T'] } }),
    })
    expect(await failure('cars196')).toBe(`ROOT/cars_annos.mat: annotations(2)${message}`)
  })

  test.each(['', '-z'])('flowers, as SciPy writes it%s', async (suffix) => {
    const [labels, setid] = ['imagelabels', 'setid'].map((name) =>
      readFileSync(join(golden, `${name}${suffix}.mat`)),
    )
    files({ 'jpg/': '', 'imagelabels.mat': labels!, 'setid.mat': setid! })
    const { classes, trainval, test } = await open('flowers')
    expect([classes.length, classes[0], classes[101]]).toEqual([102, '1', '102'])
    const flowers = expected.flowers
    const part = (ids: number[]) =>
      ids.map((id) => `jpg/image_${String(id).padStart(5, '0')}.jpg ${flowers.labels[id - 1] - 1}`)
    expect(shown(trainval)).toEqual(part([...flowers.trnid, ...flowers.valid]))
    expect(shown(test)).toEqual(part(flowers.tstid))
    files({ 'setid.mat': matFile({ trnid: [1], valid: [2], tstid: [307] }) })
    expect(await failure('flowers')).toBe('ROOT/setid.mat: tstid(1) = 307 is no whole number from 1 to 306')
    files({ 'setid.mat': matFile({ trnid: [1], valid: [2] }) })
    expect(await failure('flowers')).toBe('ROOT/setid.mat has no variable "tstid"')
  })

  test('nyu-v2: nine scenes and others', async () => {
    files({
      'images/': '',
      'scene_types.txt': ['kitchen', 'bedroom', 'cafe', 'bookstore', 'office_kitchen'],
      'splits.mat': readFileSync(join(golden, 'splits.mat')),
    })
    const { classes, trainval, test } = await open('nyu-v2')
    expect(classes).toHaveLength(10)
    expect([...shown(trainval), ...shown(test)]).toEqual([
      'images/0001.png 1',
      'images/0004.png 8',
      'images/0005.png 9',
      'images/0002.png 0',
      'images/0003.png 9',
    ])
    files({ 'scene_types.txt': ['kitchen', '\x01'] })
    expect(await failure('nyu-v2')).toBe('ROOT/scene_types.txt:2 is no type of scene')
  })
})

describe('pickles', () => {
  test.each(['list-2', 'unicode-5', 'object-4', 'bytes-3'])('cog, paths as %s', async (form) => {
    files({
      'levels.pickle': readFileSync(join(golden, 'cog-levels.pkl')),
      'a.pkl': readFileSync(join(golden, `cog-${form}.pkl`)),
    })
    for (const level of [1, 5]) {
      const { classes, trainval, test } = await open(`cog-l${level}`)
      const concepts = [...expected.cog.levels[level - 1]].sort()
      expect(classes).toEqual(concepts)
      const part = (name: string) =>
        concepts.flatMap((c, label) => expected.cog.paths[c][name].map((path: string) => `${path} ${label}`))
      expect(shown(trainval)).toEqual(part('train'))
      expect(shown(test)).toEqual(part('test'))
    }
  })

  test('cog: other pickles than a list and a dict', async () => {
    files({ 'a.pkl': readFileSync(join(golden, 'cog-levels.pkl')) })
    expect(await failure('cog-l1')).toBe('ROOT has 1 pickle files, expected 2: levels and splits')
    files({ 'b.pkl': readFileSync(join(golden, 'cog-levels.pkl')) })
    expect(await failure('cog-l1')).toMatch(
      /^ROOT\/b.pkl cannot be read as a pickle: it has no split of "n\d+"$/,
    )
    files({ 'b.pkl': Buffer.from('\x80\x02}.', 'latin1') })
    expect(await failure('cog-l1')).toBe(
      'ROOT/b.pkl cannot be read as a pickle: the list of levels is no list',
    )
  })
})

test('cog: one long array that is named for every concept', async () => {
  const concepts = Array.from({ length: 25 }, (_, i) => `n${String(i).padStart(8, '0')}`)
  const text = (value: string) => `U${String.fromCharCode(value.length)}${value}`
  const count = 200_000
  const size = Buffer.alloc(4)
  size.writeInt32LE(count)
  const number = size.toString('latin1')
  const array = `cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\x01b\x87R(K\x01J${number}\x85cnumpy\ndtype\nU\x02S1\x89\x88\x87R\x89T${number}${'x'.repeat(count)}tb`
  const split = `}(${text('train')}${array}q\0${text('test')}h\0u`
  const all = concepts.map((name, i) => `${text(name)}${i === 0 ? `${split}q\x01` : 'h\x01'}`).join('')
  const levels = `](${`](${concepts.map(text).join('')}e`.repeat(5)}e`
  files({
    'levels.pkl': Buffer.from(`\x80\x02${levels}.`, 'latin1'),
    'split.pkl': Buffer.from(`\x80\x02}(${all}u.`, 'latin1'),
  })
  expect(await failure('cog-l1')).toBe(
    'ROOT/split.pkl cannot be read as a pickle: a level has more than 4194304 images',
  )
})

describe('JSON', () => {
  const inat = (year: number, images: [number, string][], categories: [number, number][]) =>
    JSON.stringify({
      info: { year, nested: [{ images: 1 }] },
      images: images.map(([id, file_name]) => ({ id, file_name, license: 1 })),
      categories: [9, 4].map((id) => ({ id, name: `species ${id}` })),
      annotations: categories.map(([image_id, category_id], id) => ({ id, image_id, category_id })),
    })

  test.each([2018, 2019])('inat%i', async (year) => {
    files({
      [`train${year}.json`]: inat(
        year,
        [
          [1, 'tv/a.jpg'],
          [2, 'tv/b.jpg'],
        ],
        [
          [2, 9],
          [1, 4],
        ],
      ),
      [`val${year}.json`]: inat(year, [[7, 'tv/c.jpg']], [[7, 9]]),
    })
    const { classes, trainval, test } = await open(`inat${year}`)
    expect(classes).toEqual(['species 4', 'species 9'])
    expect([...shown(trainval), ...shown(test)]).toEqual(['tv/a.jpg 0', 'tv/b.jpg 1', 'tv/c.jpg 1'])
    files({ [`val${year}.json`]: inat(year, [[7, 'tv/c.jpg']], [[7, 5]]) })
    expect(await failure(`inat${year}`)).toBe(
      `ROOT/val${year}.json: image 7 has category 5, which is not among those of training`,
    )
    files({ [`val${year}.json`]: inat(year, [[7, '/etc/c.jpg']], [[7, 9]]) })
    expect(await failure(`inat${year}`)).toBe(
      `ROOT/val${year}.json, image 7: "/etc/c.jpg" is no path inside ROOT`,
    )
    files({
      [`val${year}.json`]: inat(
        year,
        [
          [7, 'a'],
          [7, 'b'],
        ],
        [],
      ),
    })
    expect(await failure(`inat${year}`)).toContain('images[1]: 7 is there twice')
  })

  const coco = (images: [number, string][], annotations: [number, number][]) =>
    JSON.stringify({
      images: images.map(([id, file_name]) => ({ id, file_name })),
      annotations: annotations.map(([image_id, category_id]) => ({
        image_id,
        category_id,
        iscrowd: 0,
        segmentation: [[1.5, 2]],
      })),
      categories: [
        { id: 1, name: 'person' },
        { id: 3, name: 'car' },
        { id: 90, name: 'toothbrush' },
      ],
    })

  test('coco: what is in each image, also in those that hold nothing', async () => {
    files({
      'train2017/': '',
      'val2017/': '',
      'annotations/instances_train2017.json': coco(
        [
          [5, 'a.jpg'],
          [2, 'b.jpg'],
          [9, 'c.jpg'],
        ],
        [
          [9, 3],
          [9, 90],
          [9, 3],
          [5, 1],
        ],
      ),
      'annotations/instances_val2017.json': coco([[1, 'd.jpg']], [[1, 90]]),
    })
    const { classes, trainval, test, targets, difficult } = await open('coco')
    expect(classes).toEqual(['person', 'car', 'toothbrush'])
    expect(shown(trainval)).toEqual(['train2017/a.jpg 0', 'train2017/b.jpg 0', 'train2017/c.jpg 1'])
    expect([...targets!.trainval]).toEqual([1, 0, 0, 0, 0, 0, 0, 1, 1])
    expect([shown(test), [...targets!.test], difficult]).toEqual([['val2017/d.jpg 2'], [0, 0, 1], undefined])
    files({ 'annotations/instances_val2017.json': coco([[1, 'd.jpg']], [[2, 90]]) })
    expect(await failure('coco')).toBe(
      'ROOT/annotations/instances_val2017.json: annotations[0] is of image 2 and category 90, of which one is not there',
    )
  })
})

describe('voc2007', () => {
  const main = 'VOCdevkit/VOC2007/ImageSets/Main'
  const classes = transferSetOf('voc2007')
  const lists = (part: string, values: (name: string) => string[]) =>
    Object.fromEntries(NAMES.map((name) => [`${main}/${name}_${part}.txt`, values(name)]))
  const NAMES =
    'aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep sofa train tvmonitor'.split(
      ' ',
    )

  test('1 is there, -1 is not, 0 is difficult', async () => {
    expect(classes.multiLabel).toBe(true)
    files({
      'VOCdevkit/VOC2007/JPEGImages/': '',
      ...lists('trainval', (name) => [
        `000005  ${name === 'chair' ? 1 : -1}`,
        `000007 ${name === 'car' ? ' 1' : name === 'person' ? ' 0' : '-1'}`,
      ]),
      ...lists('test', () => ['000001 -1']),
    })
    const { classes: names, trainval, test, targets, difficult } = await open('voc2007')
    expect(names).toEqual(NAMES)
    expect(shown(trainval)).toEqual([
      'VOCdevkit/VOC2007/JPEGImages/000005.jpg 8',
      'VOCdevkit/VOC2007/JPEGImages/000007.jpg 6',
    ])
    const ones = (array: Uint8Array) =>
      [...array].flatMap((value, i) => (value ? [`${Math.floor(i / 20)} ${NAMES[i % 20]}`] : []))
    expect(ones(targets!.trainval)).toEqual(['0 chair', '1 car'])
    expect(ones(difficult!.trainval)).toEqual(['1 person'])
    expect([test.length, targets!.test.length, ones(targets!.test)]).toEqual([1, 20, []])
  })

  test('lists that do not fit each other', async () => {
    files({
      'VOCdevkit/VOC2007/JPEGImages/': '',
      ...lists('trainval', () => ['000005 -1']),
      ...lists('test', () => ['000001 -1']),
      [`${main}/dog_test.txt`]: ['000002 -1'],
    })
    expect(await failure('voc2007')).toBe(
      `ROOT/${main}/dog_test.txt:1 has image 000002, but ROOT/${main}/aeroplane_test.txt has 000001`,
    )
    files({ [`${main}/dog_test.txt`]: ['000001 2'] })
    expect(await failure('voc2007')).toBe(
      `ROOT/${main}/dog_test.txt:1: "000001 2" is not an image and 1, -1 or 0`,
    )
    files({ [`${main}/dog_test.txt`]: ['000001 1', '000003 1'] })
    expect(await failure('voc2007')).toContain('has 2 images, but')
  })
})

describe('CIFAR', () => {
  const names = (count: number) => Array.from({ length: count }, (_, i) => `class${i}`)
  const meta = (key: string, count: number) =>
    Buffer.from(
      `\x80\x02}U${String.fromCharCode(key.length)}${key}](${names(count)
        .map((name) => `U${String.fromCharCode(name.length)}${name}`)
        .join('')}es.`,
      'latin1',
    )

  test.each([2, 4, 5])('the version for Python, protocol %i', async (protocol) => {
    const batch = readFileSync(join(golden, `cifar-${protocol}.pkl`))
    const batches = [1, 2, 3, 4, 5].map((i) => [`cifar-10-batches-py/data_batch_${i}`, batch])
    files({
      ...Object.fromEntries(batches),
      'cifar-10-batches-py/test_batch': batch,
      'cifar-10-batches-py/batches.meta': meta('label_names', 10),
    })
    files({ 'hundred/cifar-100-python/train': batch, 'hundred/cifar-100-python/test': batch })
    files({ 'hundred/cifar-100-python/meta': meta('fine_label_names', 100) })
    const ten = await open('cifar10')
    expect(ten.classes).toEqual(names(10))
    expect(ten.trainval.map(({ label }) => label)).toEqual([3, 0, 9, 3, 0, 9, 3, 0, 9, 3, 0, 9, 3, 0, 9])
    const pixels = ten.test.map(({ at }) => {
      if (at?.kind !== 'pixels') throw new Error('no pixels')
      expect([at.width, at.height, at.channels]).toEqual([32, 32, 3])
      return new Uint8Array(at.memory, at.offset, 3072)
    })
    expect(pixels.map((image) => image.reduce((sum, value) => sum + value, 0))).toEqual(expected.cifar.sum)
    expect(pixels.map((image) => [...image.subarray(0, 2)])).toEqual(expected.cifar.first)
    const hundred = await transferSetOf('cifar100').open(join(root, 'hundred'), { expect: null })
    expect(hundred.test.map(({ label }) => label)).toEqual([3, 0, 99])
  })

  test('the binary version, whose files have the published sizes', async () => {
    const batch = Buffer.alloc(10_000 * 3073)
    batch[0] = 7
    files({
      ...Object.fromEntries([1, 2, 3, 4, 5].map((i) => [`cifar-10-batches-bin/data_batch_${i}.bin`, batch])),
      'cifar-10-batches-bin/test_batch.bin': batch,
      'cifar-10-batches-bin/batches.meta.txt': names(10),
    })
    const { trainval, test } = await transferSetOf('cifar10').open(root)
    expect([trainval.length, test.length, trainval[0]!.label, trainval[1]!.label]).toEqual([
      50_000, 10_000, 7, 0,
    ])
  })
})

const EUROSAT_FIRST = ['Forest/110.jpg 0', 'Forest/206.jpg 0', 'Forest/217.jpg 0']
