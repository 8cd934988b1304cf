/** A value of a pickle; maps are ordered dicts. */
export type Pickled =
  | string
  | number
  | boolean
  | { readonly global: string }
  | { readonly tuple: readonly Pickled[] }
  | { readonly call: string; readonly with: readonly Pickled[] }
  | { readonly persistent: readonly Pickled[] }
  | { readonly dict: Iterable<readonly [string, Pickled]> }

const [PROTO, STOP, MARK, TUPLE, EMPTY_TUPLE, REDUCE] = [0x80, 0x2e, 0x28, 0x74, 0x29, 0x52]
const [GLOBAL, PERSISTENT, SET_ITEMS, TEXT] = [0x63, 0x51, 0x75, 0x58]
const [TRUE, FALSE, INT, LONG] = [0x88, 0x89, 0x4a, 0x8a]

/** The bytes of a pickle of protocol 2 with what PyTorch's state dicts need; nothing is shared in it. */
export function pickle(value: Pickled): Uint8Array {
  const bytes: number[] = [PROTO, 2]
  write(value, bytes)
  bytes.push(STOP)
  return Uint8Array.from(bytes)
}

function write(value: Pickled, to: number[]): void {
  if (typeof value === 'string') {
    const text = new TextEncoder().encode(value)
    to.push(TEXT, ...littleEndian(text.length, 4), ...text)
  } else if (typeof value === 'boolean') to.push(value ? TRUE : FALSE)
  else if (typeof value === 'number') {
    if (value < 2 ** 31) to.push(INT, ...littleEndian(value, 4))
    else to.push(LONG, 8, ...littleEndian(value, 8))
  } else if ('global' in value) writeGlobal(value.global, to)
  else if ('tuple' in value) writeTuple(value.tuple, to)
  else if ('call' in value) {
    writeGlobal(value.call, to)
    writeTuple(value.with, to)
    to.push(REDUCE)
  } else if ('persistent' in value) {
    writeTuple(value.persistent, to)
    to.push(PERSISTENT)
  } else {
    write({ call: 'collections.OrderedDict', with: [] }, to)
    to.push(MARK)
    for (const [key, item] of value.dict) {
      write(key, to)
      write(item, to)
    }
    to.push(SET_ITEMS)
  }
}

function writeTuple(items: readonly Pickled[], to: number[]): void {
  if (items.length === 0) return void to.push(EMPTY_TUPLE)
  to.push(MARK)
  for (const item of items) write(item, to)
  to.push(TUPLE)
}

/** `module.name` as an instruction: two lines of text. */
function writeGlobal(name: string, to: number[]): void {
  const dot = name.lastIndexOf('.')
  to.push(GLOBAL, ...new TextEncoder().encode(`${name.slice(0, dot)}\n${name.slice(dot + 1)}\n`))
}

/** A whole number from 0 to 2^53. */
function littleEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) % 256)
}
