import { createHash, type Hash } from 'node:crypto'
import { parseTar, type TarEntry, type TarRead } from './tarParser.js'

/** Takes an archive's bytes front to back. */
export interface TarStreamReader {
  /** The next bytes; throws TrexError as `parseTar` does. */
  write(chunk: Uint8Array): void
  /** There are no more bytes; throws TrexError if the archive is not complete. */
  end(): void
  /** The SHA-1 of a member's data, by its offset. */
  digest(offset: number): string
}

/** How a streamed archive is read. */
export interface TarStreamOptions {
  readonly archive: string
  /** The archive's bytes, if known beforehand. */
  readonly length: number | null
  /** Whether a member's data is wanted with it. */
  wants?(name: string, size: number): boolean
}

/** Gives `visit` the members of an archive that arrives in chunks; of their data it holds what `wants` wants alone. */
export function openTarStream(
  { archive, length, wants }: TarStreamOptions,
  visit: (entry: TarEntry) => void,
): TarStreamReader {
  let total = length
  let at = 0
  /** The bytes wished for, as far as they are here. */
  let wished: TarRead = { at: 0, length: 0 }
  let parts: Uint8Array[] = []
  let have = 0
  let finished = false
  let hashed: { entry: TarEntry; hash: Hash } | null = null
  const digests = new Map<number, string>()
  const parser = parseTar({ archive, length: () => total, ...(wants ? { wants } : {}) })
  advance(parser.next())

  function advance(step: IteratorResult<TarRead | TarEntry, void>): void {
    let next = step
    while (!next.done && !('at' in next.value)) {
      visit(next.value)
      if (next.value.size > 0 && next.value.type === 'file')
        hashed = { entry: next.value, hash: createHash('sha1') }
      if (hashed && next.value.content) finishHash(next.value.content)
      next = parser.next()
    }
    parts = []
    have = 0
    if (next.done) finished = true
    else wished = next.value as TarRead
  }

  function finishHash(content: Uint8Array): void {
    hashed!.hash.update(content)
    digests.set(hashed!.entry.offset, hashed!.hash.digest('base64'))
    hashed = null
  }

  function hashData(bytes: Uint8Array, position: number): void {
    if (!hashed) return
    const { offset, size } = hashed.entry
    const part = bytes.subarray(Math.max(offset - position, 0), Math.max(offset + size - position, 0))
    if (position + bytes.length >= offset + size) finishHash(part)
    else hashed.hash.update(part)
  }

  return {
    write(chunk) {
      let rest = chunk
      while (rest.length > 0 && !finished) {
        const skipped = Math.min(Math.max(wished.at - at, 0), rest.length)
        hashData(rest.subarray(0, skipped), at)
        at += skipped
        rest = rest.subarray(skipped)
        if (at < wished.at) return
        const taken = Math.min(wished.length - have, rest.length)
        if (taken > 0) parts.push(new Uint8Array(rest.subarray(0, taken)))
        have += taken
        at += taken
        rest = rest.subarray(taken)
        if (have === wished.length) advance(parser.next(Buffer.concat(parts)))
      }
    },
    end() {
      total = at
      // Past the end every wish gets what there is of it.
      while (!finished) advance(parser.next(Buffer.concat(parts)))
    },
    digest: (offset) => digests.get(offset) ?? '',
  }
}
