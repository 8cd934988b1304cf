import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import {
  matArray,
  matCompressed,
  matElement,
  matFile,
  matHeader,
} from '../../../../test/support/matWriter.js'
import type { MatValue } from './matArray.js'
import { parseMat, readMatFile } from './matFile.js'
import { matNumber, matNumbersOf, matString, matStrings, matStructs } from './matValues.js'

const golden = fileURLToPath(new URL('../../../../test/golden/sets/', import.meta.url))
const expected = JSON.parse(readFileSync(join(golden, 'expected.json'), 'utf8'))
const dir = mkdtempSync(join(tmpdir(), 'trex-mat-'))
afterAll(() => rmSync(dir, { recursive: true }))

const numbers = (value: MatValue) => (value.kind === 'numbers' ? [...value.data] : value.kind)

describe.each(['', '-z'])('a file of SciPy%s', (suffix) => {
  test('numbers of every type, texts, cells and truth values', async () => {
    const kinds = Object.keys(expected.kinds)
    expect(kinds).toHaveLength(10)
    const file = join(golden, `kinds${suffix}.mat`)
    const found = await readMatFile(file, [...kinds, 'truth', 'empty', 'text', 'cells'])
    for (const kind of kinds) {
      expect(found[kind]).toMatchObject({ shape: [2, 3] })
      expect(numbers(found[kind]!)).toEqual(expected.kinds[kind])
    }
    expect(numbers(found.truth!)).toEqual([1, 0])
    expect(found.empty).toMatchObject({ shape: [0, 0] })
    expect(matString(found.text!, 'text')).toBe('Größe €')
    const cells = found.cells!
    if (cells.kind !== 'cells') throw new Error(cells.kind)
    expect(cells.shape).toEqual([2, 2])
    expect([numbers(cells.cells[0]!), numbers(cells.cells[1]!), numbers(cells.cells[3]!)]).toEqual([
      [1],
      [],
      [2.5],
    ])
    expect(matString(cells.cells[2]!, 'cell')).toBe('x')
  })

  test('arrays of a kind that is not read are passed over, and refused when they are wanted', async () => {
    const file = join(golden, `kinds${suffix}.mat`)
    await expect(readMatFile(file, ['uint8'])).resolves.toHaveProperty('uint8')
    await expect(readMatFile(file, ['sparse'])).rejects.toThrow(
      `${file} cannot be read as a MATLAB file: it has an array of class 5`,
    )
    await expect(readMatFile(file, ['complex'])).rejects.toThrow('of class 6, complex')
    await expect(readMatFile(file, ['labels'])).rejects.toThrow(`${file} has no variable "labels"`)
  })

  test('an array of structures', async () => {
    const found = await readMatFile(join(golden, `cars_annos${suffix}.mat`), ['annotations', 'class_names'])
    expect(matStrings(found.class_names, 'names')).toEqual(expected.cars.classes)
    const fields = ['relative_im_path', 'bbox_x1', 'bbox_y1', 'bbox_x2', 'bbox_y2', 'class', 'test'] as const
    const cars = matStructs(found.annotations, fields, 'annotations').map((car) =>
      fields.map((field, i) =>
        i === 0 ? matString(car[field], field) : matNumber(car[field], 0, 1e4, field),
      ),
    )
    expect(cars).toEqual(expected.cars.cars)
  })
})

test.each([
  { big: false, compressed: false },
  { big: false, compressed: true },
  { big: true, compressed: false },
  { big: true, compressed: true },
])('the own writer: %j', async (style) => {
  const structs = [
    { path: 'a/1.jpg', class: [2] },
    { path: 'b/22.jpg', class: [1] },
  ]
  const bytes = matFile(
    { labels: [1, 2.5, -3], x: { cells: ['one', [4], { cells: [] }] }, cars: { structs } },
    style,
  )
  const found = parseMat(bytes, new Set(['labels', 'cars', 'x']))
  expect(numbers(found.get('labels')!)).toEqual([1, 2.5, -3])
  const cars = matStructs(found.get('cars')!, ['path', 'class'], 'cars')
  expect(cars.map((car) => [matString(car.path, 'path'), numbers(car.class)])).toEqual([
    ['a/1.jpg', [2]],
    ['b/22.jpg', [1]],
  ])
  expect(found.get('x')).toMatchObject({ kind: 'cells', shape: [1, 3] })
})

test.each<[string, Buffer, string]>([
  ['no header', Buffer.from('MATLAB'), 'it has 6 bytes, a header has 128'],
  ['HDF5', matHeader(false, 'MATLAB 7.3 MAT-file'), 'it is of version 7.3 (HDF5): save it again with -v7'],
  ['text', Buffer.alloc(400, 'x'), 'it has no header of version 5'],
  ['cut short', matFile({ x: [1, 2, 3] }).subarray(0, -10), 'it is cut short'],
  [
    'another element than an array',
    Buffer.concat([matHeader(), matElement(9, Buffer.alloc(16))]),
    'a variable is of type 9, not an array',
  ],
  [
    'damaged compression',
    Buffer.concat([matHeader(), Buffer.from([15, 0, 0, 0, 8, 0, 0, 0]), Buffer.alloc(8, 7)]),
    'a compressed variable is damaged',
  ],
  [
    'a variable twice',
    Buffer.concat([matFile({ x: [1] }), matArray('x', [2])]),
    'two variables are called "x"',
  ],
  ['a negative size', patched(matFile({ x: [1] }), 128 + 8 + 16 + 12, 0xffffffff), 'it has more values than'],
  [
    'a size that contradicts',
    patched(matFile({ x: [1] }), 128 + 8 + 16 + 12, 2),
    'an array of 2 numbers has 8 bytes',
  ],
  [
    'a huge array of no structures',
    structsWithoutFields(0x7fffffff),
    'it has more values than a list of images',
  ],
  ['depth', matFile({ x: deepCells(40) }), 'its arrays are nested more than 16 deep'],
])('hostile bytes: %s', async (name, bytes, message) => {
  const file = join(dir, `${name}.mat`)
  writeFileSync(file, bytes)
  const error = await readMatFile(file, ['x']).catch((e) => e)
  expect(error.name).toBe('TrexError')
  expect(error.message).toContain(file)
  expect(error.message).toContain(message)
})

function patched(bytes: Buffer, at: number, value: number): Buffer {
  bytes.writeUInt32LE(value, at)
  return bytes
}

function structsWithoutFields(count: number): Buffer {
  const word = (value: number) => {
    const buffer = Buffer.alloc(4)
    buffer.writeUInt32LE(value)
    return buffer
  }
  const content = Buffer.concat([
    matElement(6, Buffer.concat([word(2), word(0)])),
    matElement(5, Buffer.concat([word(1), word(count)])),
    matElement(1, Buffer.from('x')),
    matElement(5, word(32)),
    matElement(1, Buffer.alloc(0)),
  ])
  return Buffer.concat([matHeader(), matElement(14, content)])
}

function deepCells(depth: number): { cells: never[] } {
  let value: { cells: unknown[] } = { cells: [] }
  for (let i = 0; i < depth; i++) value = { cells: [value] }
  return value as { cells: never[] }
}

test('what inflates without end is refused', async () => {
  const file = join(dir, 'bomb.mat')
  writeFileSync(file, Buffer.concat([matHeader(), matCompressed(Buffer.alloc(300 << 20))]))
  await expect(readMatFile(file, ['x'])).rejects.toThrow('its variables have more than 268435456 bytes')
})

test('no damaged byte and no cut makes anything but a RangeError', () => {
  const whole = readFileSync(join(golden, 'cars_annos.mat'))
  const names = new Set(['annotations', 'class_names'])
  const packed = Buffer.concat([
    matHeader(),
    matCompressed(matArray('annotations', { structs: [{ class: [1] }] })),
  ])
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
      fc.nat(),
      (small, changes, cut) => {
        const bytes = Buffer.from(small ? packed : whole)
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        try {
          parseMat(bytes.subarray(0, cut % 3 === 0 ? cut % bytes.length : bytes.length), names)
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
        }
      },
    ),
    { numRuns: 2000, seed: 22 },
  )
})

test('values of other kinds than are needed are named', () => {
  const found = parseMat(
    matFile({ n: [1, 2.5], t: 'abc', c: { cells: [[1]] }, s: { structs: [{ a: [1] }] } }),
    new Set('ntcs'),
  )
  const of = (name: string) => found.get(name)!
  expect(() => matNumbersOf(of('n'), 1, 9, 'f: n')).toThrow('f: n(2) = 2.5 is no whole number from 1 to 9')
  expect(() => matNumber(of('n'), 1, 9, 'f: n')).toThrow('f: n(2) = 2.5')
  expect(() => matNumber(of('t'), 1, 9, 'f: t')).toThrow('f: t is no array of numbers')
  expect(() => matString(of('n'), 'f: n')).toThrow('f: n is no text of one line')
  expect(() => matStrings(of('c'), 'f: c')).toThrow('f: c{1} is no text of one line')
  expect(() => matStructs(of('s'), ['b'], 'f: s')).toThrow('f: s is no array of structures with a field b')
})
