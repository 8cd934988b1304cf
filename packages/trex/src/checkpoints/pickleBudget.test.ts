import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'

// Files of up to 1 MB that would take much more memory or time than they have bytes. Each is opened in a process of its
// own, by the compiled reader, whose greatest size is compared with that before.

const folder = mkdtempSync(join(tmpdir(), 'pickles-'))
afterAll(() => rmSync(folder, { recursive: true }))

const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer)
const text = (value: string) => raw('X', u32(value.length), value)
/** The number's opcode and bytes. */
const float = (value: number) => {
  const bytes = Buffer.alloc(9, 'G')
  bytes.writeDoubleBE(value, 1)
  return bytes
}
const times = (count: number, item: (i: number) => Uint8Array | string) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => raw(item(i))))
const ORDERED = 'ccollections\nOrderedDict\n'

/** Bytes as they are, and text with a byte for each character. */
const raw = (...parts: (Uint8Array | string)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)))

/** A file as PyTorch wrote before 1.6, with this as its object and `keys` in place of the list of its storages. */
const withKeys = (keys: Uint8Array | string, ...object: (Uint8Array | string)[]) =>
  raw(
    Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex'),
    '\x80\x02M\xe9\x03.\x80\x02}',
    text('little_endian'),
    '\x88s.\x80\x02',
    ...object,
    '.\x80\x02',
    keys,
    '.',
  )
const fileOf = (...object: (Uint8Array | string)[]) => withKeys(']', ...object)

const MB = 1_000_000
/** A number that is hashed without a secret; of the worst choice 8,192 take 30 times as long as of these. */
const wide = (i: number) => float(2 ** 40 * (i + 1))

const hostile: Record<string, () => Uint8Array> = {
  'a list of empty dicts': () => fileOf(']', '(', '}'.repeat(MB), 'e'),
  'a list of empty sets': () => fileOf(']', '(', Buffer.alloc(MB, 0x8f), 'e'),
  'a list of empty lists': () => fileOf(']', '(', ']'.repeat(MB), 'e'),
  'a list of empty tuples': () => fileOf(']', '(', ')'.repeat(MB), 'e'),
  'a list of lists of one': () => fileOf(']', '(', ']Na'.repeat(MB / 3), 'e'),
  'a list of empty bytes': () => fileOf(']', '(', 'C\0'.repeat(MB / 2), 'e'),
  'a list of objects': () => fileOf(']', 'cx\ny\nq\0', '(', 'h\0)R'.repeat(MB / 4), 'e'),
  'objects with items': () => fileOf(']', 'cx\ny\nq\0', '(', 'h\0)RNa'.repeat(MB / 6), 'e'),
  'objects with entries': () => fileOf(']', 'cx\ny\nq\0', '(', 'h\0)RNNs'.repeat(MB / 7), 'e'),
  'a list of ordered dicts': () => fileOf(']', ORDERED, 'q\0', '(', 'h\0)R'.repeat(MB / 4), 'e'),
  'a list of floats': () => fileOf(']', '(', times(MB / 9, float), 'e'),
  'a list of nothing': () => fileOf(']', '(', 'N'.repeat(MB), 'e'),
  marks: () => fileOf('('.repeat(MB)),
  'marks with a value each': () => fileOf('(N'.repeat(MB / 2)),
  'values on the stack': () => fileOf('N'.repeat(MB)),
  'Latin-1': () => fileOf('T', u32(MB), 'x'.repeat(MB)),
  'short texts': () =>
    fileOf(
      ']',
      '(',
      times(MB / 7, (i) => text(String(10 + (i % 90)))),
      'e',
    ),
  'long integers': () =>
    fileOf(
      ']',
      '(',
      times(MB / 1029, () => raw('\x8b', u32(1024), Buffer.alloc(1024, 0x7b))),
      'e',
    ),
  digits: () =>
    fileOf(
      ']',
      '(',
      times(MB / 402, () => `L${'9'.repeat(400)}\n`),
      'e',
    ),
  'lines without an end': () => fileOf('c'.repeat(MB)),
  'memos far apart': () =>
    fileOf(
      'N',
      times(MB / 5, (i) => raw('r', u32(i << 16))),
    ),
  memos: () =>
    fileOf(
      'N',
      times(MB / 5, (i) => raw('r', u32(i))),
    ),
  'keys in one place': () =>
    fileOf(
      '}',
      '(',
      times(MB / 10, (i) => raw(wide(i), 'N')),
      'u',
    ),
  'members in one place': () => fileOf(Buffer.from([0x8f]), '(', times(MB / 9, wide), Buffer.from([0x90])),
  'copies of a dict': () => {
    const pairs = times(9000, (i) => raw(text(`${i}`), 'N\x86'))
    return fileOf(ORDERED, 'q\0', '](', pairs, 'eq\x01', '0', '](', 'h\0h\x01\x85R'.repeat(2000), 'e')
  },
  'nested keys of storages': () => withKeys(raw('('.repeat(20_000), 'l'.repeat(20_000)), '}'),
}

const opening = `
import { readFileSync } from 'node:fs'
import { bufferSource } from '${new URL('../../dist/checkpoints/byteSource.js', import.meta.url)}'
import { openPth } from '${new URL('../../dist/checkpoints/pth.js', import.meta.url)}'
import { stateDicts } from '${new URL('../../dist/checkpoints/stateDicts.js', import.meta.url)}'
const bytes = readFileSync(process.argv[1])
const before = process.resourceUsage().maxRSS
const cpu = process.cpuUsage()
let said = 'values'
try { stateDicts(openPth(bufferSource(bytes, 'x.pth')).root) } catch (error) { said = error.constructor.name + ': ' + error.message }
const { user, system } = process.cpuUsage(cpu)
const seconds = (user + system) / 1e6 // of its own: other programs do not count
console.log(JSON.stringify({ said, seconds, kib: process.resourceUsage().maxRSS - before }))
`

describe('a hostile file takes no more than twice its bytes and 64 MiB, and 2 seconds', () => {
  test.each(Object.entries(hostile))('%s', (name, bytes) => {
    const path = join(folder, `${name}.pth`)
    const file = bytes()
    writeFileSync(path, file)
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', opening, path], {
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    const { said, seconds, kib } = JSON.parse(stdout)
    expect(said).toMatch(/^(values$|CheckpointError: x\.pth: )/)
    expect(kib).toBeLessThan(65_536 + (2 * file.length) / 1024)
    expect(seconds).toBeLessThan(2)
  })
})
