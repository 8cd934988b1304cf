import { expect, test } from 'vitest'
import { crc32c, maskedCrc32c } from './crc32c.js'

const bytes = (length: number, value: (i: number) => number) =>
  Uint8Array.from({ length }, (_, i) => value(i))

// RFC 3720, B.4, and the check value of CRC-32C in catalogues of CRCs.
test.each([
  ['nothing', new Uint8Array(), 0],
  ['123456789', new TextEncoder().encode('123456789'), 0xe3069283],
  ['32 bytes of zeros', bytes(32, () => 0), 0x8a9136aa],
  ['32 bytes of ones', bytes(32, () => 0xff), 0x62a8ab43],
  ['32 ascending bytes', bytes(32, (i) => i), 0x46dd794e],
  ['32 descending bytes', bytes(32, (i) => 31 - i), 0x113fdb5c],
])('CRC-32C of %s', (_, data, crc) => expect(crc32c(data)).toBe(crc))

test('the mask turns the CRC and adds a constant', () => {
  // In TFRecord files the length 24 is followed by these four bytes (the first record of every event file).
  const length = Uint8Array.of(24, 0, 0, 0, 0, 0, 0, 0)
  const masked = new Uint8Array(Uint32Array.of(maskedCrc32c(length)).buffer)
  expect([...masked]).toEqual([0xa3, 0x7f, 0x4b, 0x22])
})
