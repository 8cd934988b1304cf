import type { ByteSource } from './byteSource.js'
import { CheckpointError, CONVERT_HINT } from './checkpointError.js'

/** Where an archive's central directory lies, and how many entries it has. */
export interface Directory {
  readonly offset: number
  readonly size: number
  readonly count: number
}

const END = 0x06054b50
const END_BYTES = 22
const WIDE_END = 0x06064b50
const WIDE_END_BYTES = 56
const LOCATOR = 0x07064b50
const LOCATOR_BYTES = 20
const MAX_COMMENT = 0xffff

/** The most bytes and entries a directory may have. */
const MAX_DIRECTORY_BYTES = 1 << 28
const MAX_ENTRIES = 1 << 15

/**
 * Finds the central directory by the record at the archive's end, in its 64-bit form where there is one. It must reach
 * exactly to that record.
 * @throws CheckpointError when there is none, as of a file that is cut short, or its numbers contradict each other.
 */
export function findDirectory(source: ByteSource): Directory {
  const fail = (what: string, hint?: string): never => {
    throw new CheckpointError(source.name, what, hint === undefined ? {} : { hint })
  }
  const tailBytes = Math.min(source.size, END_BYTES + MAX_COMMENT)
  const tailAt = source.size - tailBytes
  const tail = source.read(tailAt, tailBytes)
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength)
  let at = tailBytes - END_BYTES
  const isEnd = () =>
    view.getUint32(at, true) === END && at + END_BYTES + view.getUint16(at + 20, true) === tailBytes
  while (at >= 0 && !isEnd()) at--
  if (at < 0) return fail('the archive has no end: the file is cut short', 'Download or copy it again.')
  if (view.getUint32(at + 4, true) !== 0) fail('the archive has several parts', CONVERT_HINT)
  const narrow = {
    count: view.getUint16(at + 10, true),
    size: view.getUint32(at + 12, true),
    offset: view.getUint32(at + 16, true),
  }
  const wide = wideDirectory(source, tailAt + at, fail)
  const agrees = (field: keyof Directory, unknown: number) =>
    !wide || narrow[field] === unknown || narrow[field] === wide.directory[field]
  if (!agrees('count', 0xffff) || !agrees('size', 0xffffffff) || !agrees('offset', 0xffffffff))
    fail('the two ends of the archive contradict each other')
  const directory = wide?.directory ?? narrow
  if (directory.size > MAX_DIRECTORY_BYTES || directory.count > MAX_ENTRIES)
    fail(
      `the archive has a directory of ${directory.size} bytes and ${directory.count} entries, which is too many`,
    )
  if (directory.offset + directory.size !== (wide?.begin ?? tailAt + at))
    fail("the archive's directory does not lie where its end says")
  return directory
}

/** The 64-bit end record that a locator in front of the end points at. */
function wideDirectory(
  source: ByteSource,
  end: number,
  fail: (what: string) => never,
): { directory: Directory; begin: number } | undefined {
  if (end < LOCATOR_BYTES) return undefined
  const at = end - LOCATOR_BYTES
  const locator = viewOf(source.read(at, LOCATOR_BYTES))
  if (locator.getUint32(0, true) !== LOCATOR) return undefined
  const begin = Number(locator.getBigUint64(8, true))
  if (begin + WIDE_END_BYTES !== at) fail('the 64-bit end of the archive does not lie where it should')
  const record = viewOf(source.read(begin, WIDE_END_BYTES))
  const [count, size, offset] = [32, 40, 48].map((field) => Number(record.getBigUint64(field, true)))
  if (record.getUint32(0, true) !== WIDE_END) fail('the 64-bit end of the archive is damaged')
  return { directory: { count: count!, size: size!, offset: offset! }, begin }
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
