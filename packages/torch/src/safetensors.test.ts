import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import {
  openSafetensors,
  parseSafetensors,
  type RawTensor,
  readHeader,
  removeTemporaries,
  SafetensorsError,
  safetensorsChunks,
  typedArrayOf,
  writeSafetensors,
} from './safetensors.js'
import { ITEM_SIZES, type RawDtype } from './safetensorsHeader.js'

const folder = mkdtempSync(join(tmpdir(), 'safetensors-'))
afterAll(() => rmSync(folder, { recursive: true }))

const f32 = (...values: number[]): Uint8Array => new Uint8Array(new Float32Array(values).buffer)

/** A file from a header written by hand. */
function fileOf(header: string, dataBytes: number): Uint8Array {
  const json = new TextEncoder().encode(header)
  const bytes = new Uint8Array(8 + json.byteLength + dataBytes)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.byteLength), true)
  bytes.set(json, 8)
  return bytes
}

const tensors = fc.uniqueArray(
  fc
    .record({
      name: fc.string({ unit: 'grapheme', maxLength: 12 }),
      dtype: fc.constantFrom(...(Object.keys(ITEM_SIZES) as RawDtype[])),
      shape: fc.array(fc.nat(4), { maxLength: 4 }),
      seed: fc.nat(255),
    })
    .filter(({ name }) => name !== '__metadata__' && name !== '__proto__')
    .map(({ name, dtype, shape, seed }) => {
      const size = shape.reduce((product, dim) => product * dim, ITEM_SIZES[dtype] as number)
      return { name, dtype, shape, data: Uint8Array.from({ length: size }, (_, i) => seed + 31 * i) }
    }),
  { selector: ({ name }) => name, maxLength: 6 },
)
const key = fc.string().filter((text) => text !== '__proto__')
const metadata = fc.dictionary(key, fc.string({ unit: 'grapheme' }), { maxKeys: 4 })

describe('round trip', () => {
  test('any tensors and metadata come back, from bytes and from a file, in the order given', () => {
    const path = join(folder, 'any.safetensors')
    fc.assert(
      fc.property(tensors, metadata, (given, text) => {
        writeSafetensors(path, given, text)
        using fromFile = openSafetensors(path)
        const bytes = readFileSync(path)
        for (const reader of [fromFile, parseSafetensors(bytes)]) {
          expect(Object.entries(reader.metadata).sort()).toEqual(Object.entries(text).sort())
          expect([...reader.entries.keys()]).toEqual(given.map(({ name }) => name))
          for (const { name, ...tensor } of given) {
            const { dtype, shape, data } = reader.read(name)
            expect({ dtype, shape, data: Uint8Array.from(data) }).toEqual(tensor)
            expect((reader.dataStart + reader.entries.get(name)!.begin) % ITEM_SIZES[dtype]).toBe(0)
          }
        }
      }),
      { numRuns: 100 },
    )
    expect(readdirSync(folder)).toEqual(['any.safetensors'])
  })

  test('the bytes of a small file are those of the format', () => {
    const [header, data] = safetensorsChunks([{ name: 'w', dtype: 'F32', shape: [2], data: f32(1, 2) }])
    expect(header!.byteLength % 8).toBe(0)
    expect(new TextDecoder().decode(header!.subarray(8)).trimEnd()).toBe(
      '{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
    )
    expect([...data!]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0x40])
  })

  test('data given as functions is asked for when its turn comes', () => {
    const asked: string[] = []
    const source = (name: string) => ({
      name,
      dtype: 'U8' as const,
      shape: [1],
      data: () => {
        asked.push(name)
        return new Uint8Array(1)
      },
    })
    const chunks = safetensorsChunks([source('a'), source('b')])
    chunks.next()
    expect(asked).toEqual([])
    chunks.next()
    expect(asked).toEqual(['a'])
  })

  test('a function may give the data in pieces, which together have the size of the tensor', () => {
    const pieces =
      (...sizes: number[]) =>
      () =>
        sizes.map((size, i) => new Uint8Array(size).fill(i))
    const write = (data: () => Iterable<Uint8Array>) =>
      Buffer.concat([...safetensorsChunks([{ name: 'a', dtype: 'U8', shape: [5], data }])])
    expect([...parseSafetensors(write(pieces(2, 0, 3))).read('a').data]).toEqual([0, 0, 2, 2, 2])
    expect(() => write(pieces(2, 2))).toThrow('takes 5 bytes, but has 4')
    expect(() => write(pieces(2, 9))).toThrow('takes 5 bytes, but has 11')
  })

  test('typedArrayOf gives elements, from aligned and from odd offsets', () => {
    const bytes = new Uint8Array(13)
    for (const offset of [0, 1, 4]) {
      bytes.set(f32(1.5, -2), offset)
      const raw: RawTensor = { dtype: 'F32', shape: [2], data: bytes.subarray(offset, offset + 8) }
      expect(typedArrayOf(raw)).toEqual(new Float32Array([1.5, -2]))
    }
    const data = Buffer.from([0, 1, 0, 0, 0, 0, 0, 0, 0]).subarray(1)
    expect(typedArrayOf({ dtype: 'I64', shape: [], data })).toEqual(new BigInt64Array([1n]))
  })

  test('readInto fills a buffer of the right size only', () => {
    const path = join(folder, 'into.safetensors')
    writeSafetensors(path, [{ name: 'w', dtype: 'F32', shape: [2], data: f32(3, 4) }])
    const reader = openSafetensors(path)
    const target = new Float32Array(2)
    reader.readInto('w', target)
    expect([...target]).toEqual([3, 4])
    expect(() => reader.readInto('w', new Float32Array(3))).toThrow('takes 8 bytes, the buffer has 12')
    expect(() => reader.read('v')).toThrow('tensor "v": is not in the file')
    reader.close()
    expect(() => reader.read('w')).toThrow('has been closed')
  })
})

describe('wrong files', () => {
  const entry = (begin: number, end: number, shape = `[${end - begin}]`, dtype = 'U8') =>
    `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`

  test.each([
    [
      'overlap',
      `{"a":${entry(0, 8)},"b":${entry(4, 12)}}`,
      12,
      'tensor "b": overlaps another tensor at byte 4',
    ],
    ['hole', `{"a":${entry(0, 4)},"b":${entry(8, 12)}}`, 12, 'tensor "b": hole: bytes 4 to 8'],
    ['hole at the end', `{"a":${entry(0, 4)}}`, 12, 'hole: bytes 4 to 12 belong to no tensor'],
    ['out of bounds', `{"a":${entry(0, 16)}}`, 12, 'tensor "a": out of bounds: bytes 0 to 16'],
    ['wrong size', `{"a":${entry(0, 12, '[4]', 'F32')}}`, 12, 'takes 16 bytes, but has 12'],
    ['duplicate tensor', `{"a":${entry(0, 4)},"a":${entry(4, 8)}}`, 8, 'duplicate key "a"'],
    ['duplicate in escapes', `{"a":${entry(0, 4)},"\\u0061":${entry(4, 8)}}`, 8, 'duplicate key "a"'],
    ['duplicate field', '{"a":{"dtype":"U8","dtype":"U8"}}', 0, 'duplicate key "dtype"'],
    ['fraction', `{"a":${entry(0, 1, '[1.5]')}}`, 1, 'must hold non-negative integers'],
    ['float', `{"a":${entry(0, 1, '[1.0]')}}`, 1, 'must hold non-negative integers'],
    ['negative', `{"a":${entry(0, 1, '[-1]')}}`, 1, 'must hold non-negative integers'],
    ['text', `{"a":${entry(0, 1, '["1"]')}}`, 1, 'must hold non-negative integers'],
    ['past 2^53', `{"a":${entry(0, 1, '[9007199254740993]')}}`, 1, 'must hold non-negative integers'],
    ['overflow', `{"a":${entry(0, 1, '[4294967296,4294967296]')}}`, 1, 'overflows'],
    ['backwards', `{"a":${entry(4, 0, '[0]')}}`, 4, 'run backwards'],
    ['offsets', '{"a":{"dtype":"U8","shape":[],"data_offsets":[0]}}', 0, 'two non-negative integers'],
    ['dtype', `{"a":${entry(0, 1, '[1]', 'X9')}}`, 1, 'unknown dtype "X9"'],
    ['dtype of Object', `{"a":${entry(0, 1, '[1]', 'constructor')}}`, 1, 'unknown dtype "constructor"'],
    ['__proto__', `{"__proto__":${entry(0, 1)}}`, 1, 'key "__proto__" is not allowed'],
    ['__proto__ in metadata', '{"__metadata__":{"__proto__":"x"}}', 0, 'key "__proto__" is not allowed'],
    ['metadata value', '{"__metadata__":{"x":1}}', 0, '__metadata__ "x" is no string'],
    ['no JSON', '{"a":', 0, 'not valid JSON'],
    ['text behind', '{}x', 0, 'unexpected text after the end'],
    ['control character', '{"a\n":1}', 0, 'not valid JSON'],
    ['no object', '[]', 0, "does not start with '{'"],
    ['deep', `{"a":${'['.repeat(1e5)}`, 0, 'nested levels'],
  ])('%s', (_, header, dataBytes, message) => {
    const parse = () => parseSafetensors(fileOf(header, dataBytes), 'x.safetensors')
    expect(parse).toThrow(SafetensorsError)
    expect(parse).toThrow(message)
    expect(parse).toThrow('x.safetensors')
  })

  test('huge and truncated headers', () => {
    const huge = fileOf('{}', 0)
    new DataView(huge.buffer).setBigUint64(0, 2n ** 63n, true)
    expect(() => parseSafetensors(huge)).toThrow('limit 100000000')
    new DataView(huge.buffer).setBigUint64(0, 3n, true)
    expect(() => parseSafetensors(huge)).toThrow('truncated: header of 3 bytes')
    expect(() => parseSafetensors(new Uint8Array(7))).toThrow('truncated')
    const notUtf8 = fileOf('{"a":1}', 0)
    notUtf8[10] = 0xff
    expect(() => parseSafetensors(notUtf8)).toThrow('not valid UTF-8')
  })

  test('strings of many MiB', () => {
    const long = 'x\\"'.repeat(3 << 20)
    const parse = (header: string) => parseSafetensors(fileOf(header, 0))
    expect(parse(`{"__metadata__":{"a":"${long}"}}`).metadata.a).toHaveLength(6 << 20)
    expect(
      parse(`{${' '.repeat(9 << 20)}"__metadata__":{"a":"${'x'.repeat(8 << 20)}"}}`).metadata.a,
    ).toHaveLength(8 << 20)
    expect(() => parse(`{"${long}`)).toThrow('expected a string at character 1')
    expect(() => parse(`{"a":${'1'.repeat(9 << 20)}}`)).toThrow('described by no object')
  })

  test('mutated files give SafetensorsError or a sound header, nothing else', () => {
    const path = join(folder, 'mutated.safetensors')
    writeSafetensors(
      path,
      [
        { name: 'weight', dtype: 'F32', shape: [2, 3], data: f32(1, 2, 3, 4, 5, 6) },
        { name: 'count', dtype: 'I64', shape: [], data: new Uint8Array(8) },
      ],
      { epoch: '3' },
    )
    const original = readFileSync(path)
    const edits = fc.array(fc.tuple(fc.nat(original.byteLength - 1), fc.nat(255)), { maxLength: 4 })
    fc.assert(
      fc.property(edits, fc.nat(original.byteLength), (changes, length) => {
        const bytes = Uint8Array.from(original)
        for (const [at, value] of changes) bytes[at] = value
        try {
          const reader = parseSafetensors(bytes.subarray(0, length))
          for (const name of reader.entries.keys()) reader.read(name)
        } catch (error) {
          expect(error).toBeInstanceOf(SafetensorsError)
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('files that are not there or shrink while open', () => {
    expect(() => readHeader(join(folder, 'none'))).toThrow(SafetensorsError)
    expect(() => readHeader(folder)).toThrow(SafetensorsError)
    const path = join(folder, 'shrinks.safetensors')
    writeSafetensors(path, [{ name: 'w', dtype: 'F32', shape: [2], data: f32(3, 4) }])
    using reader = openSafetensors(path)
    writeFileSync(path, '')
    expect(() => reader.read('w')).toThrow('truncated')
  })
})

describe('wrong tensors to write', () => {
  const path = join(folder, 'kept.safetensors')
  const good = { name: 'w', dtype: 'F32', shape: [2], data: f32(3, 4) } as const

  test.each([
    ['size', [{ ...good, shape: [3] }], {}, 'takes 12 bytes, but has 8'],
    ['twice', [good, good], {}, 'is given twice'],
    ['shape', [{ ...good, shape: [0.5] }], {}, 'non-negative integers'],
    ['reserved', [{ ...good, name: '__metadata__' }], {}, 'reserved name'],
    ['__proto__', [{ ...good, name: '__proto__' }], {}, 'not allowed'],
    ['lone surrogate', [{ ...good, name: '\ud800' }], {}, 'not allowed'],
    ['metadata', [good], { epoch: 3 as unknown as string }, 'metadata "epoch" is no string'],
  ])('%s: an error, and the previous file stays', (_, given, text, message) => {
    writeSafetensors(path, [good])
    const before = readFileSync(path)
    expect(() => writeSafetensors(path, given, text)).toThrow(message)
    expect(() => writeSafetensors(path, given, text)).toThrow(SafetensorsError)
    expect(readFileSync(path).equals(before)).toBe(true)
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  test('removeTemporaries takes away what killed writers of that file left, no other file', () => {
    const stale = join(folder, '.kept.safetensors.0123456789ab.tmp')
    writeFileSync(stale, 'x')
    writeFileSync(join(folder, '.other.safetensors.0123456789ab.tmp'), 'x')
    removeTemporaries(path)
    expect(readdirSync(folder)).not.toContain('.kept.safetensors.0123456789ab.tmp')
    expect(readdirSync(folder)).toContain('.other.safetensors.0123456789ab.tmp')
  })
})
