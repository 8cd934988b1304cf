import { TarFault } from './tarHeader.js'

/** What an extended header says of the next member, or of all later ones. */
export type PaxRecords = Map<string, Uint8Array>

const EQUALS = 0x3d
const SPACE = 0x20
const NEWLINE = 0x0a

/**
 * Reads the records "LENGTH KEY=VALUE\n" of a PAX extended header; of a key given twice the last counts. Throws TarFault
 * where a length does not fit. Source: POSIX.1-2017 pax, "pax Header Block".
 */
export function parsePax(data: Uint8Array): PaxRecords {
  const records: PaxRecords = new Map()
  let at = 0
  while (at < data.length) {
    const space = data.indexOf(SPACE, at)
    const digits = Buffer.from(data.subarray(at, space === -1 ? at + 8 : Math.min(space, at + 8))).toString(
      'latin1',
    )
    if (space === -1 || !/^[1-9]\d{0,6}$/.test(digits)) {
      throw new TarFault('an extended header with a record that does not start with its length')
    }
    const end = at + Number(digits)
    const equals = data.indexOf(EQUALS, space)
    if (end > data.length || end <= space || data[end - 1] !== NEWLINE || equals === -1 || equals >= end) {
      throw new TarFault('an extended header with a record of a wrong length')
    }
    const key = Buffer.from(data.subarray(space + 1, equals)).toString('utf8')
    records.set(key, new Uint8Array(data.subarray(equals + 1, end - 1)))
    at = end
  }
  return records
}

/** A record's decimal number of bytes; throws TarFault. */
export function paxSize(value: Uint8Array): number {
  const digits = Buffer.from(value).toString('latin1')
  const size = Number(digits)
  if (!/^\d{1,16}$/.test(digits) || !Number.isSafeInteger(size)) {
    throw new TarFault('an extended header whose size is no number of bytes')
  }
  return size
}

/** Whether the records describe a sparse member, whose data is not the file's. */
export const isSparsePax = (records: PaxRecords): boolean =>
  [...records.keys()].some((key) => key.startsWith('GNU.sparse.'))
