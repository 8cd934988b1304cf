import { TrexError } from '../../errors.js'
import { sniffContent } from '../decode/sniff.js'

const COMPRESSED: readonly [start: string, kind: string, command: string][] = [
  ['\x1f\x8b', 'gzip', 'gunzip'],
  ['\x28\xb5\x2f\xfd', 'zstd', 'unzstd'],
  ['\xfd7zXZ\0', 'xz', 'unxz'],
  ['BZh', 'bzip2', 'bunzip2'],
  ['\x04\x22\x4d\x18', 'lz4', 'unlz4'],
]

/** The error for a file whose first block is no header, in words for what it is instead. */
export function notATar(archive: string, start: Uint8Array): TrexError {
  const text = Buffer.from(start).toString('latin1')
  const compressed = COMPRESSED.find(([magic]) => text.startsWith(magic))
  if (compressed) {
    const [, kind, command] = compressed
    return new TrexError(`${archive} is compressed (${kind}): its members cannot be read one by one`, {
      hint: `decompress it to a plain .tar first: ${command} ARCHIVE (images gain nothing from it)`,
    })
  }
  const { looksLike, hint = 'fetch it again, or give the path of a .tar archive' } = sniffContent(start)
  return new TrexError(`${archive} is not a tar archive: it looks like ${looksLike}`, { hint })
}
