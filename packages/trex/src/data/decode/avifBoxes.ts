/** A box of an ISO media file: its name and what is in it. */
export interface Box {
  readonly name: string
  readonly body: Uint8Array
}

/** Bytes of a box's version and flags. */
const VERSION_BYTES = 4

/** The boxes side by side in `bytes`, as far as they are whole. */
function* boxes(bytes: Uint8Array): Generator<Box> {
  const view = viewOf(bytes)
  for (let at = 0; at + 8 <= bytes.length; ) {
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
    let [length, head] = [view.getUint32(at), 8]
    if (length === 1 && at + 16 <= bytes.length) [length, head] = [Number(view.getBigUint64(at + 8)), 16]
    if (length === 0) length = bytes.length - at
    if (length < head) return
    yield { name, body: bytes.subarray(at + head, at + length) }
    at += length
  }
}

/** The boxes side by side in `bytes` by name, the first of each. */
export function boxesOf(bytes: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>()
  for (const { name, body } of boxes(bytes)) if (!found.has(name)) found.set(name, body)
  return found
}

/** The properties of the primary item, in the order in which they apply to it; other items' are left out. */
export function propertiesOf(meta: Uint8Array): Box[] {
  const inside = boxesOf(meta.subarray(VERSION_BYTES))
  const [primary, iprp] = [inside.get('pitm'), inside.get('iprp')]
  const ipco = iprp && boxesOf(iprp).get('ipco')
  if (!primary || !iprp || !ipco || primary.length < 6) return []
  const item =
    primary[0] === 0 || primary.length < 8 ? viewOf(primary).getUint16(4) : viewOf(primary).getUint32(4)
  const properties = [...boxes(ipco)]
  return [...boxes(iprp)]
    .filter(({ name }) => name === 'ipma')
    .flatMap(({ body }) => associated(body, item))
    .flatMap((index) => properties[index - 1] ?? [])
}

/** The numbers, from 1, of an item's properties. */
function associated(ipma: Uint8Array, item: number): number[] {
  const view = viewOf(ipma)
  if (ipma.length < 8) return []
  const [idBytes, indexBytes] = [ipma[0] === 0 ? 2 : 4, ipma[3]! & 1 ? 2 : 1]
  let at = VERSION_BYTES + 4
  for (let left = view.getUint32(VERSION_BYTES); left > 0 && at + idBytes < ipma.length; left--) {
    const id = idBytes === 2 ? view.getUint16(at) : view.getUint32(at)
    const from = at + idBytes + 1
    const count = ipma[from - 1]!
    at = from + count * indexBytes
    if (id !== item || at > ipma.length) continue
    // The upper bit says whether a reader has to know the property.
    const index = (n: number) =>
      indexBytes === 1 ? ipma[from + n]! & 0x7f : view.getUint16(from + 2 * n) & 0x7fff
    return Array.from({ length: count }, (_, n) => index(n))
  }
  return []
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
