/** What the scanner finds. */
export interface JsonFindings {
  /** Whether the member `key` is an array whose items are needed. */
  wants(key: string): boolean
  /** Such an array begins. */
  begin(key: string): void
  /** An item of it, as JSON. */
  item(key: string, index: number, text: string): void
}

/** Takes the bytes of a file piece by piece; `push` throws RangeError where they are no JSON object. */
export interface JsonScanner {
  push(bytes: Uint8Array): void
  /** Whether the object is closed. */
  ended(): boolean
}

/** COCO's longest annotation, of a crowd, has some 100 kB. */
const MAX_ITEM_BYTES = 1 << 22
const MAX_ITEMS = 1 << 22
const MAX_DEPTH = 64

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN = [0x7b, 0x5b] as const // { [
const CLOSE = [0x7d, 0x5d] as const // } ]

type State = 'start' | 'key' | 'colon' | 'value' | 'afterValue' | 'item' | 'afterItem' | 'inside' | 'end'

/** A scanner that finds the items of arrays in the members of one object; what it passes over need only be balanced. */
export function jsonScanner({ wants, begin, item }: JsonFindings): JsonScanner {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let state: State = 'start'
  /** What `inside` reads: a key, a value that is passed over, or an item. */
  let reading: 'key' | 'skipped' | 'item' = 'key'
  let key = ''
  let index = 0
  let afterComma = false
  /** The brackets open inside of a value, as the bytes that close them. */
  const open: number[] = []
  let inString = false
  let escaped = false
  const parts: Uint8Array[] = []
  let partBytes = 0

  const wrong = (byte: number): never => {
    throw new RangeError(`${JSON.stringify(String.fromCharCode(byte))} stands where it is no JSON`)
  }
  const keep = (bytes: Uint8Array) => {
    if (reading === 'skipped') return
    partBytes += bytes.length
    if (partBytes > MAX_ITEM_BYTES) throw new RangeError(`an object has more than ${MAX_ITEM_BYTES} bytes`)
    parts.push(bytes)
  }
  const kept = (): string => {
    const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    parts.length = 0
    partBytes = 0
    try {
      return utf8.decode(bytes)
    } catch {
      throw new RangeError('it is not UTF-8')
    }
  }
  const enter = (what: typeof reading): true => {
    reading = what
    state = 'inside'
    return true
  }
  const leave = () => {
    if (reading === 'key') {
      try {
        key = JSON.parse(kept())
      } catch {
        throw new RangeError('the name of a member is no JSON')
      }
      state = 'colon'
    } else if (reading === 'item') {
      if (index >= MAX_ITEMS) throw new RangeError(`${key} has more than ${MAX_ITEMS} objects`)
      item(key, index++, kept())
      state = 'afterItem'
    } else state = 'afterValue'
  }

  /** Reads on in a value from `at`; where it ends, or the end of the bytes. */
  const inside = (bytes: Uint8Array, from: number): number => {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at]!
      if (inString) {
        if (escaped) escaped = false
        else if (byte === BACKSLASH) escaped = true
        else if (byte === QUOTE) {
          inString = false
          if (open.length === 0) return finish(bytes, from, at + 1)
        }
      } else if (byte === QUOTE) inString = true
      else if (byte === OPEN[0] || byte === OPEN[1]) {
        if (open.push(CLOSE[OPEN.indexOf(byte as never)]!) > MAX_DEPTH)
          throw new RangeError(`values are nested more than ${MAX_DEPTH} deep`)
      } else if (byte === CLOSE[0] || byte === CLOSE[1]) {
        if (open.length === 0) return finish(bytes, from, at) // a number ends where what holds it does
        if (open.pop() !== byte) wrong(byte)
        if (open.length === 0) return finish(bytes, from, at + 1)
      } else if (open.length === 0 && (byte === COMMA || isBlank(byte))) return finish(bytes, from, at)
    }
    keep(bytes.subarray(from))
    return bytes.length
  }
  const finish = (bytes: Uint8Array, from: number, end: number): number => {
    keep(bytes.subarray(from, end))
    leave()
    return end
  }

  /** One byte between values; whether it is the first of one, to be read again. */
  const between = (byte: number): boolean => {
    switch (state) {
      case 'start':
        if (byte !== OPEN[0]) wrong(byte)
        state = 'key'
        return false
      case 'key':
        if (byte === QUOTE) return enter('key')
        if (byte !== CLOSE[0] || afterComma) wrong(byte)
        state = 'end'
        return false
      case 'colon':
        if (byte !== COLON) wrong(byte)
        state = 'value'
        return false
      case 'value':
        if (wants(key)) {
          if (byte !== OPEN[1]) throw new RangeError(`${JSON.stringify(key)} is no array`)
          begin(key)
          index = 0
          afterComma = false
          state = 'item'
          return false
        }
        if (byte === COMMA || byte === COLON || CLOSE.includes(byte as never)) wrong(byte)
        return enter('skipped')
      case 'item':
        if (byte === CLOSE[1] && !afterComma) {
          state = 'afterValue'
          return false
        }
        if (byte === COMMA || byte === COLON || CLOSE.includes(byte as never)) wrong(byte)
        return enter('item')
      case 'afterItem':
        afterComma = byte === COMMA
        if (byte === CLOSE[1]) state = 'afterValue'
        else if (byte === COMMA) state = 'item'
        else wrong(byte)
        return false
      case 'afterValue':
        afterComma = byte === COMMA
        if (byte === CLOSE[0]) state = 'end'
        else if (byte === COMMA) state = 'key'
        else wrong(byte)
        return false
      default:
        return wrong(byte)
    }
  }

  return {
    push(bytes) {
      for (let at = 0; at < bytes.length; ) {
        if (state === 'inside') at = inside(bytes, at)
        else if (isBlank(bytes[at]!) || !between(bytes[at]!)) at++
      }
    },
    ended: () => state === 'end',
  }
}

const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
