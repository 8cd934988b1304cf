import type { ByteSource } from './byteSource.js'

// DEFLATE (RFC 1951). A browser's DecompressionStream is asynchronous and Node's zlib is not there, while readers of
// checkpoints read when they are asked; this one is bounded by the size that the archive tells, and reads its input in pieces.

const PIECE = 1 << 16
/** Codes of up to so many bits are looked up, longer ones are decoded bit by bit. */
const FAST_BITS = 10
const MAX_BITS = 15
/** Blocks that a stream of a size may have: each costs a table, and compressors fill thousands of bytes with one. */
const mostBlocks = (size: number) => 64 + size / 128

const LENGTHS = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
  227, 258,
]
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0]
const DISTANCES = [
  ...[1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073],
  ...[4097, 6145, 8193, 12289, 16385, 24577],
]
const DISTANCE_BITS = DISTANCES.map((_, i) => Math.max(0, (i >> 1) - 1))
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

/**
 * The first `size` bytes of what `packed` bytes of a source at `offset` are compressed from; with `whole` the stream must end
 * there.
 * @throws RangeError with what is wrong with the stream.
 */
export function inflate(
  source: ByteSource,
  { offset, packed, size, whole }: { offset: number; packed: number; size: number; whole: boolean },
): Uint8Array {
  const out = new Uint8Array(size)
  const input = bitReader(source, offset, packed)
  let at = 0
  let [blocks, last] = [0, false]
  while (!last && (whole || at < size)) {
    if (++blocks > mostBlocks(size)) throw new RangeError('it has more blocks than its size needs')
    last = input.bits(1) === 1
    const kind = input.bits(2)
    if (kind === 0) at = storedBlock(input, out, at, whole)
    else if (kind === 1) at = codedBlock(input, out, at, FIXED(), whole)
    else if (kind === 2) at = codedBlock(input, out, at, dynamicCodes(input), whole)
    else throw new RangeError('it has a block of no known kind')
  }
  if (at < size) throw new RangeError(`it gives ${at} bytes in place of ${size}`)
  return out
}

type BitReader = ReturnType<typeof bitReader>

/** Bits from the lowest of each byte on; past the end of the input are errors. */
function bitReader(source: ByteSource, offset: number, packed: number) {
  let piece: Uint8Array = new Uint8Array(0)
  let [next, read] = [0, 0]
  let [held, count] = [0, 0]
  const byte = (): number => {
    if (next === piece.length) {
      if (read >= packed) throw new RangeError('it is cut short')
      piece = source.read(offset + read, Math.min(PIECE, packed - read))
      read += piece.length
      next = 0
    }
    return piece[next++]!
  }
  const more = () => next < piece.length || read < packed
  return {
    /** Up to 16 bits. */
    bits(wanted: number): number {
      while (count < wanted) {
        held |= byte() << count
        count += 8
      }
      const value = held & ((1 << wanted) - 1)
      held >>>= wanted
      count -= wanted
      return value
    },
    /** The next symbol of a code. */
    symbol({ fast, counts, symbols }: Code): number {
      while (count < MAX_BITS && more()) {
        held |= byte() << count
        count += 8
      }
      const found = fast[held & ((1 << FAST_BITS) - 1)]!
      const length = found & 15
      if (length > 0 && length <= count) {
        held >>>= length
        count -= length
        return found >> 4
      }
      let [code, first, index] = [0, 0, 0]
      for (let bits = 1; bits <= MAX_BITS; bits++) {
        if (bits > count) throw new RangeError('it is cut short')
        code |= (held >> (bits - 1)) & 1
        const here = counts[bits]!
        if (code - here < first) {
          held >>>= bits
          count -= bits
          return symbols[index + code - first]!
        }
        index += here
        first = (first + here) << 1
        code <<= 1
      }
      throw new RangeError('it has bits that are no code')
    },
    /** Leaves out what is left of a byte. */
    align() {
      held >>>= count % 8
      count -= count % 8
    },
    /** The next byte, after `align`: one that was looked at already, or a new one. */
    wholeByte(): number {
      if (count === 0) return byte()
      const value = held & 255
      held >>>= 8
      count -= 8
      return value
    },
  }
}

/** A Huffman code in its canonical form: how many codes there are of each length, the symbols by code, a table of short ones. */
interface Code {
  readonly counts: Uint16Array
  readonly symbols: Uint16Array
  /** By the next bits: a symbol times 16 and the length of its code; 0: it is longer. */
  readonly fast: Uint16Array
}

function codeOf(lengths: readonly number[]): Code {
  const counts = new Uint16Array(MAX_BITS + 1)
  for (const length of lengths) counts[length]!++
  counts[0] = 0
  const [offsets, codes] = [new Uint16Array(MAX_BITS + 2), new Uint16Array(MAX_BITS + 2)]
  let left = 1
  for (let bits = 1; bits <= MAX_BITS; bits++) {
    left = left * 2 - counts[bits]!
    if (left < 0) throw new RangeError('it has a code with too many symbols')
    offsets[bits + 1] = offsets[bits]! + counts[bits]!
    codes[bits + 1] = (codes[bits]! + counts[bits]!) << 1
  }
  const symbols = new Uint16Array(lengths.length)
  const fast = new Uint16Array(1 << FAST_BITS)
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue
    symbols[offsets[length]!++] = symbol
    const code = codes[length]!++
    if (length > FAST_BITS) continue
    let reversed = 0
    for (let i = 0; i < length; i++) reversed |= ((code >> i) & 1) << (length - 1 - i)
    for (let i = reversed; i < fast.length; i += 1 << length) fast[i] = (symbol << 4) | length
  }
  return { counts, symbols, fast }
}

interface Codes {
  readonly literals: Code
  readonly distances: Code
}

let fixed: Codes | undefined
const FIXED = (): Codes => {
  const lengths = Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8))
  fixed ??= { literals: codeOf(lengths), distances: codeOf(new Array(30).fill(5)) }
  return fixed
}

function dynamicCodes(input: BitReader): Codes {
  const [literals, distances, count] = [input.bits(5) + 257, input.bits(5) + 1, input.bits(4) + 4]
  if (literals > 286 || distances > 30) throw new RangeError('it has codes for symbols that there are not')
  const own = new Array(19).fill(0)
  for (const place of LENGTH_ORDER.slice(0, count)) own[place] = input.bits(3)
  const code = codeOf(own)
  const lengths: number[] = []
  while (lengths.length < literals + distances) {
    const symbol = input.symbol(code)
    if (symbol < 16) {
      lengths.push(symbol)
      continue
    }
    if (symbol === 16 && lengths.length === 0) throw new RangeError('it repeats a length before the first')
    const repeated = symbol === 16 ? lengths.at(-1)! : 0
    const times = symbol === 16 ? 3 + input.bits(2) : symbol === 17 ? 3 + input.bits(3) : 11 + input.bits(7)
    for (let i = 0; i < times; i++) lengths.push(repeated)
  }
  if (lengths.length > literals + distances) throw new RangeError('it has more lengths of codes than codes')
  if (lengths[256] === 0) throw new RangeError('it has a block without an end')
  return { literals: codeOf(lengths.slice(0, literals)), distances: codeOf(lengths.slice(literals)) }
}

function storedBlock(input: BitReader, out: Uint8Array, from: number, whole: boolean): number {
  input.align()
  const length = input.wholeByte() | (input.wholeByte() << 8)
  const inverse = input.wholeByte() | (input.wholeByte() << 8)
  if ((length ^ inverse) !== 0xffff) throw new RangeError('a block is damaged')
  const end = bounded(out, from + length, whole)
  for (let at = from; at < end; at++) out[at] = input.wholeByte()
  return end
}

/** Where a run ends: never past the bytes wanted, which is an error when they are all. */
function bounded(out: Uint8Array, end: number, whole: boolean): number {
  if (end <= out.length) return end
  if (whole) throw new RangeError(`it gives more than ${out.length} bytes`)
  return out.length
}

function codedBlock(
  input: BitReader,
  out: Uint8Array,
  from: number,
  { literals, distances }: Codes,
  whole: boolean,
): number {
  let at = from
  for (;;) {
    const symbol = input.symbol(literals)
    if (symbol === 256) return at
    if (at === out.length && !whole) return at
    if (symbol < 256) {
      bounded(out, at + 1, whole)
      out[at++] = symbol
      continue
    }
    const length = LENGTHS[symbol - 257]
    if (length === undefined) throw new RangeError('it has a length that there is not')
    const run = length + input.bits(LENGTH_BITS[symbol - 257]!)
    const place = input.symbol(distances)
    const nearest = DISTANCES[place]
    if (nearest === undefined) throw new RangeError('it has a distance that there is not')
    const distance = nearest + input.bits(DISTANCE_BITS[place]!)
    if (distance > at) throw new RangeError('it copies from before its beginning')
    const end = bounded(out, at + run, whole)
    for (; at < end; at++) out[at] = out[at - distance]!
  }
}
