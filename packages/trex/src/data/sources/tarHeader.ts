/** Bytes of a header; data is padded to a multiple of it. */
export const TAR_BLOCK = 512

/** What a header block says; the name as bytes, as it stands in it. */
export interface TarHeader {
  /** One character: '0' a file, '5' a folder, 'x' an extended header, ... */
  readonly type: string
  readonly name: Uint8Array
  /** Bytes. */
  readonly size: number
  /** An old GNU sparse member's map goes on in the next block. */
  readonly mapGoesOn: boolean
}

/** What is wrong with a part of an archive; the reader adds the archive's name and the byte. */
export class TarFault extends Error {}

/**
 * Reads a header: old (v7), ustar, GNU and PAX ones, sizes in octal or base 256; null for a block of zeros. The
 * checksum is the sum of the bytes, taken as unsigned or, as some old programs do, as signed numbers. Throws TarFault.
 * Source: POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
 */
export function parseTarHeader(block: Uint8Array): TarHeader | null {
  let unsigned = 0
  let above = 0
  for (let i = 0; i < TAR_BLOCK; i++) {
    unsigned += block[i]!
    above += block[i]! >> 7
  }
  if (unsigned === 0) return null
  for (let i = 148; i < 156; i++) {
    unsigned += 32 - block[i]! // the checksum's own field counts as spaces
    above -= block[i]! >> 7
  }
  const checksum = octal(block.subarray(148, 156))
  if (checksum !== unsigned && (checksum === null || checksum !== unsigned - 256 * above))
    throw new TarFault('a header whose checksum is wrong')
  const posix = latin1(block.subarray(257, 263)) === 'ustar\0'
  const prefix = posix ? untilNul(block.subarray(345, 500)) : new Uint8Array()
  const name = untilNul(block.subarray(0, 100))
  return {
    type: block[156] === 0 ? '0' : String.fromCharCode(block[156]!),
    name: prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name,
    size: sizeOf(block.subarray(124, 136)),
    mapGoesOn: block[482] !== 0,
  }
}

/** Whether the block has the mark of ustar, PAX and GNU archives, whatever else is wrong with it. */
export function hasTarMark(block: Uint8Array): boolean {
  return latin1(block.subarray(257, 262)) === 'ustar'
}

function sizeOf(field: Uint8Array): number {
  if (field[0]! < 0x80) {
    const size = octal(field)
    if (size === null) throw new TarFault('a header whose size is no number')
    return size
  }
  if (field[0]! & 0x40) throw new TarFault('a header with a negative size')
  let size = field[0]! & 0x3f
  for (const byte of field.subarray(1)) size = size * 256 + byte
  if (size > Number.MAX_SAFE_INTEGER) throw new TarFault('a header with a size of more than 2^53 bytes')
  return size
}

function octal(field: Uint8Array): number | null {
  const digits = latin1(untilNul(field)).replace(/^ +| +$/g, '')
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : null
}

function untilNul(field: Uint8Array): Uint8Array {
  const end = field.indexOf(0)
  return end === -1 ? field : field.subarray(0, end)
}

const latin1 = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
