import { constants, deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bufferSource } from './byteSource.js'
import { crc32 } from './crc32.js'
import { inflate } from './inflate.js'

const run = (packed: Uint8Array, size: number, whole = true) =>
  inflate(bufferSource(packed, 'x'), { offset: 0, packed: packed.length, size, whole })

const text = fc.array(fc.constantFrom('weight', 'bias', '.', 'layer1', ' '), { maxLength: 3000 })
const content = fc.oneof(
  fc.uint8Array({ maxLength: 2000 }),
  text.map((parts) => new TextEncoder().encode(parts.join(''))),
  fc.tuple(fc.nat(255), fc.nat(100_000)).map(([value, size]) => new Uint8Array(size).fill(value)),
)

describe('inflate', () => {
  test("zlib's streams of every level and strategy come back", () => {
    const { Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE, Z_DEFAULT_STRATEGY } = constants
    const options = fc.record({
      level: fc.integer({ min: 0, max: 9 }),
      strategy: fc.constantFrom(Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE, Z_DEFAULT_STRATEGY),
      memLevel: fc.integer({ min: 1, max: 9 }),
    })
    fc.assert(
      fc.property(content, options, fc.double({ min: 0, max: 1, noNaN: true }), (bytes, how, share) => {
        const packed = deflateRawSync(bytes, how)
        expect(Buffer.from(run(packed, bytes.length)).equals(bytes)).toBe(true)
        const part = Math.floor(share * bytes.length)
        expect(Buffer.from(run(packed, part, false)).equals(bytes.subarray(0, part))).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  test('floats of a few MiB, which have codes of more bits than the table', () => {
    const values = Float32Array.from({ length: 1 << 20 }, (_, i) => Math.sin(i * i) * 0.02)
    const bytes = new Uint8Array(values.buffer)
    expect(Buffer.from(run(deflateRawSync(bytes), bytes.length)).equals(bytes)).toBe(true)
  })

  test('a stored block in the middle of a byte, after a coded one', () => {
    const text = new TextEncoder().encode('weight weight weight')
    const parts = [
      deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }),
      deflateRawSync(text, { level: 0 }),
    ]
    const packed = Buffer.concat(parts) // a sync flush is an empty stored block
    expect(new TextDecoder().decode(run(packed, 2 * text.length))).toBe('weight weight weight'.repeat(2))
  })

  test('a damaged stream is a RangeError or other bytes, and another size an error', () => {
    const bytes = new TextEncoder().encode('layer1.0.conv1.weight '.repeat(200))
    const packed = deflateRawSync(bytes)
    expect(() => run(packed, bytes.length + 1)).toThrow('it gives 4400 bytes in place of 4401')
    expect(() => run(packed, bytes.length - 1)).toThrow('it gives more than 4399 bytes')
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(packed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        fc.nat(packed.length),
        (changes, length) => {
          const changed = Uint8Array.from(packed)
          for (const [at, value] of changes) changed[at] = value
          try {
            run(changed.subarray(0, length), bytes.length)
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('a flood of empty blocks is refused', () => {
    const block = [0, 0, 0, 0xff, 0xff] // stored, empty, not the last
    const flood = Uint8Array.from({ length: 5 * 1000 }, (_, i) => block[i % 5]!)
    expect(() => run(flood, 10)).toThrow('more blocks than its size needs')
  })
})

test('crc32 of the check value', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926) // the catalogue of parametrised CRCs
})
