import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { TrexError } from '../../errors.js'
import { readImageFile } from '../decode/readImageFile.js'

/** An array in the IDX format of unsigned bytes: the sizes of its dimensions and its values. */
export interface IdxArray {
  shape: number[]
  data: Uint8Array
}

const HINT = 'the file is damaged: fetch it again (for a package, remove it and install it again)'
/** The most that a compressed file may hold, in bytes: 20 times MNIST. */
const MAX_INFLATED = 2 ** 30

/**
 * Reads the IDX format of LeCun's digits: two zero bytes, type 0x08 (unsigned byte), the number of
 * dimensions, each size as a big-endian uint32, then the values.
 * @param file names the data in errors
 * @throws TrexError if the header or the length is not what the format says
 */
export function parseIdx(bytes: Uint8Array, file: string): IdxArray {
  const bad = (what: string) =>
    new TrexError(`${file} is not a whole IDX file of bytes: ${what}`, { hint: HINT })
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

/**
 * Reads an IDX file, plain or compressed (`.gz`, of at most 1 GiB inflated).
 * @throws TrexError if the file cannot be read, or is not what the format says
 */
export async function readIdxFile(file: string): Promise<IdxArray> {
  const bytes = await readImageFile(file)
  return parseIdx(file.endsWith('.gz') ? await inflate(bytes, file) : bytes, file)
}

async function inflate(bytes: Uint8Array, file: string): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: MAX_INFLATED })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const reason = code === 'ERR_BUFFER_TOO_LARGE' ? `it holds more than ${MAX_INFLATED} bytes` : message
    throw new TrexError(`${file} cannot be unpacked: ${reason}`, { hint: HINT, cause: error })
  }
}
