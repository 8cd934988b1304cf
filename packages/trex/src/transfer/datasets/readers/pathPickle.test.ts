import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { PickleValue } from '../../../checkpoints/pickleValues.js'
import { TrexError } from '../../../errors.js'
import { itemsOf, readPickle, textsOf } from './pathPickle.js'

const golden = fileURLToPath(new URL('../../../../test/golden/sets/', import.meta.url))
const expected = JSON.parse(readFileSync(join(golden, 'expected.json'), 'utf8'))
const dir = mkdtempSync(join(tmpdir(), 'trex-pickle-'))
afterAll(() => rmSync(dir, { recursive: true }))

function splits(value: PickleValue): unknown {
  if (!(value instanceof Map)) throw new RangeError('no dict')
  return Object.fromEntries(
    [...value].map(([name, split]) => [
      name,
      Object.fromEntries(
        [...(split as Map<string, PickleValue>)].map(([part, paths]) => [part, textsOf(paths, part)]),
      ),
    ]),
  )
}

describe.each(['list', 'unicode', 'object', 'bytes', 'scalars', 'big'])('paths as %s', (form) => {
  test.each([2, 3, 4, 5])('protocol %i', async (protocol) => {
    const file = join(golden, `cog-${form}-${protocol}.pkl`)
    expect(await readPickle(file, splits)).toEqual(expected.cog.paths)
    if (protocol > 3) return
    // Before NumPy 2 its modules had another name; in these protocols names are lines.
    const older = join(dir, `older-${form}-${protocol}.pkl`)
    writeFileSync(older, readFileSync(file, 'latin1').replaceAll('numpy._core', 'numpy.core'), 'latin1')
    expect(await readPickle(older, splits)).toEqual(expected.cog.paths)
  })
})

test('a list of lists', async () => {
  const levels = await readPickle(join(golden, 'cog-levels.pkl'), (value) =>
    itemsOf(value, 'levels').map((level) => textsOf(level, 'level')),
  )
  expect(levels).toEqual(expected.cog.levels)
})

const numpy = (size: string, dtype: string, bytes: string) =>
  `\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01${size}cnumpy\ndtype\nU${String.fromCharCode(dtype.length)}${dtype}\x89\x88\x87R\x89U${String.fromCharCode(bytes.length)}${bytes}tb.`

test('the form that hostile arrays are made in is that of NumPy', async () => {
  writeFileSync(join(dir, 'good.pkl'), numpy('K\x02\x85', 'S2', 'abc\0'), 'latin1')
  expect(await readPickle(join(dir, 'good.pkl'), (value) => textsOf(value, 'it'))).toEqual(['ab', 'c'])
})

test.each([
  ['something that would be run', '\x80\x02cos\nsystem\nU\x07echo hi\x85R.', 'it is no array of NumPy'],
  ['a number', '\x80\x02K\x05.', 'it is no list'],
  ['numbers in a list', '\x80\x02]K\x05a.', 'it holds something that is no text'],
  ['a cut', '\x80\x02]X\xff\0\0\0abc', 'the pickle is cut short'],
  ['a text instead', 'not a pickle', 'opcode 0x6e'],
  ['bytes after it', '\x80\x02].more', '4 bytes are left after it'],
  ['a list that holds itself', '\x80\x02]q\0h\0a.', 'a value holds itself'],
  ['a reference to elsewhere', '\x80\x02U\x01xQ.', 'it refers to something outside of it'],
  ['a huge array', numpy('J\xff\xff\xff\x7f\x85', 'S2', 'ab'), 'with 2 of 4294967294'],
  ['texts of no length', numpy('J\xff\xff\xff\x7f\x85', 'S0', ''), 'it is no array of NumPy'],
  ['numbers in an array', numpy('K\x02\x85', 'i1', 'ab'), 'it is an array of i1, not of texts'],
  ['no Unicode', numpy('K\x01\x85', 'U1', '\xff\xff\xff\xff'), 'a text is no Unicode'],
  ['two dimensions', numpy('K\x01K\x02\x86', 'S1', 'ab'), 'it is an array of 2 dimensions'],
])('hostile bytes: %s', async (name, bytes, message) => {
  const file = join(dir, `${name}.pkl`)
  writeFileSync(file, bytes, 'latin1')
  const error = await readPickle(file, (value) => textsOf(value, 'it')).catch((e) => e)
  expect(error.name).toBe('TrexError')
  expect(error.message).toContain(`${file} cannot be read as a pickle: `)
  expect(error.message).toContain(message)
})

test('no damaged byte makes anything but a TrexError', async () => {
  const files = ['unicode-5', 'object-2', 'scalars-4'].map((form) =>
    readFileSync(join(golden, `cog-${form}.pkl`)),
  )
  const file = join(dir, 'damaged.pkl')
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...files),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
      async (whole, changes) => {
        const bytes = Buffer.from(whole)
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        writeFileSync(file, bytes)
        const error = await readPickle(file, splits).catch((e) => e)
        if (error instanceof Error) expect(error).toBeInstanceOf(TrexError)
      },
    ),
    { numRuns: 300, seed: 5 },
  )
})
