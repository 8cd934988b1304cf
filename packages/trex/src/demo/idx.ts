import { TrexError } from '../errors.js'

/** An array in the IDX format of unsigned bytes: the sizes of its dimensions and its values. */
export interface IdxArray {
  shape: number[]
  data: Uint8Array
}

/**
 * Reads the IDX format of LeCun's digits: two zero bytes, type 0x08 (unsigned byte), the number of
 * dimensions, each size as a big-endian uint32, then the values.
 * @param file names the data in errors
 * @throws TrexError if the header or the length is not what the format says
 */
export function parseIdx(bytes: Uint8Array, file: string): IdxArray {
  const bad = (what: string) =>
    new TrexError(`${file} is not a whole IDX file of bytes: ${what}.`, {
      hint: 'The file is damaged: remove its package and install it again.',
    })
  if (bytes.length < 4) throw bad(`it has ${bytes.length} bytes`)
  if (bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 0x08) throw bad('its first bytes are not 00 00 08')
  const rank = bytes[3]!
  const start = 4 + 4 * rank
  if (rank === 0 || bytes.length < start) throw bad(`its header announces ${rank} dimensions`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i))
  const expected = shape.reduce((a, b) => a * b, 1)
  const data = bytes.subarray(start)
  if (data.length !== expected) throw bad(`${shape.join(' x ')} values announced, ${data.length} there`)
  return { shape, data }
}
