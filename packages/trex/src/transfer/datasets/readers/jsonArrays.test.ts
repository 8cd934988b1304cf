import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { countOf, type JsonItem, readJsonArrays, stringOf } from './jsonArrays.js'
import { jsonScanner } from './jsonScanner.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-json-'))
afterAll(() => rmSync(dir, { recursive: true }))

const scan = (text: string | Uint8Array, keys: readonly string[], piece = Number.MAX_SAFE_INTEGER) => {
  const found: Record<string, unknown[]> = {}
  const scanner = jsonScanner({
    wants: (key) => keys.includes(key),
    begin: (key) => {
      found[key] = []
    },
    item: (key, index, json) => {
      expect(index).toBe(found[key]!.length)
      found[key]!.push(JSON.parse(json))
    },
  })
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += piece) scanner.push(bytes.subarray(at, at + piece))
  return { found, ended: scanner.ended() }
}

test('what JSON.parse finds, in pieces of any size and with any blanks', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: 'grapheme' }), fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()), {
        maxKeys: 6,
      }),
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom(undefined, 1, '\t'),
      (value, piece, indent) => {
        const keys = Object.keys(value).filter((key, i) => Array.isArray(value[key]) && i % 2 === 0)
        const wanted = Object.fromEntries(keys.map((key) => [key, JSON.parse(JSON.stringify(value[key]))]))
        const { found, ended } = scan(JSON.stringify(value, null, indent), keys, piece)
        expect(ended).toBe(true)
        expect(found).toEqual(wanted)
      },
    ),
    { numRuns: 1000, seed: 22 },
  )
})

test.each<[string, string]>([
  ['[1]', '"[" stands where it is no JSON'],
  ['{"a":[1]}}', '"}" stands where it is no JSON'],
  ['{"a":[1,]}', '"]" stands where it is no JSON'],
  ['{"a":[1],}', '"}" stands where it is no JSON'],
  ['{"a":[,1]}', '"," stands where it is no JSON'],
  ['{"a" [1]}', '"[" stands where it is no JSON'],
  ['{"a":[1 2]}', '"2" stands where it is no JSON'],
  ['{"a":[{]}]}', '"]" stands where it is no JSON'],
  ['{"b":}', '"}" stands where it is no JSON'],
  ['{"a":{}}', '"a" is no array'],
  ['{"\\x":1}', 'the name of a member is no JSON'],
])('what is no JSON object of arrays: %j', (text, message) => {
  expect(() => scan(text, ['a'])).toThrow(message)
})

test('depth and length without end', () => {
  expect(() => scan(`{"b":${'['.repeat(100)}`, [])).toThrow('values are nested more than 64 deep')
  expect(() => scan(`{"a":["${'x'.repeat(5 << 20)}"]}`, ['a'])).toThrow(
    'an object has more than 4194304 bytes',
  )
})

test('bytes that are no UTF-8', () => {
  expect(() => scan(Buffer.from('{"a":["\xff"]}', 'latin1'), ['a'])).toThrow('it is not UTF-8')
})

const read = async (text: string) => {
  const file = join(dir, 'file.json')
  writeFileSync(file, text)
  const names: string[] = []
  await readJsonArrays(file, {
    images: (item: JsonItem) => names.push(`${countOf(item, 'id')} ${stringOf(item, 'file_name')}`),
  })
  return names
}

test('a file: objects in order; errors name the file and the place', async () => {
  const file = join(dir, 'file.json')
  const good = '{"info":{"images":[]},"images":[{"id":1,"file_name":"a.jpg"},{"id":0,"file_name":"ü.jpg"}]}\n'
  expect(await read(good)).toEqual(['1 a.jpg', '0 ü.jpg'])
  for (const [text, message] of [
    [good.slice(0, -3), 'it is cut short'],
    ['', 'it is cut short'],
    ['{"annotations":[]}', 'it has no "images"'],
    ['{"images":[],"images":[]}', '"images" is there twice'],
    ['{"images":[1]}', 'images[0]: it is no object'],
    ['{"images":[{"id":-1}]}', 'images[0]: its id is no whole number'],
    ['{"images":[{"id":1,"file_name":2}]}', 'images[0]: its file_name is no text'],
    ['{"images":[{"id":1,}]}', 'images[0]: '],
    ['{"images":[{"__proto__":{"id":1},"file_name":""}]}', 'its id is no whole number'],
  ] as const) {
    const error = await read(text).catch((e) => e)
    expect(error.name).toBe('TrexError')
    expect(error.message).toContain(
      `${file} cannot be read: ${message.startsWith('its id') ? 'images[0]: ' : ''}${message}`,
    )
  }
})

test('a file of 200 MB takes little memory: polygons are not kept', { timeout: 60_000 }, async () => {
  const file = join(dir, 'large.json')
  const polygon = Array.from({ length: 400 }, (_, i) => i / 7)
  const line = JSON.stringify({ image_id: 1, category_id: 2, segmentation: [polygon] })
  const lines = 40_000
  writeFileSync(file, `{"annotations":[${Array.from({ length: lines }, () => line).join(',')}]}`)
  const before = process.memoryUsage().rss
  let most = 0
  let count = 0
  await readJsonArrays(file, {
    annotations(item) {
      count += countOf(item, 'category_id')
      if (count % 2000 === 0) most = Math.max(most, process.memoryUsage().rss)
    },
  })
  expect(count).toBe(2 * lines)
  expect(most - before).toBeLessThan(150 << 20)
})
