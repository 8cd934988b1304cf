import { height, planeBytes, planes, stride, width } from './crop'
import { allocate, release } from './memory'

/** Bytes of the 3 * 256 float32 values that `normalize` looks up. */
const TABLE_BYTES: u32 = 3 * 256 * 4

/** Room that is used at once: it is free again for the next allocation. */
function passing(bytes: u64): usize {
  const address = allocate(bytes)
  release(address)
  return address
}

/** Writes the crop as packed RGB, [height, width, 3], and returns the address. */
export function readPacked(): usize {
  const address = passing(<u64>width * height * 3)
  let to = address
  for (let y = 0; y < height; y++) {
    let from = planes + <usize>y * stride
    const end = from + width
    for (; from < end; from++, to += 3) {
      store<u8>(to, load<u8>(from))
      store<u8>(to, load<u8>(from + planeBytes), 1)
      store<u8>(to, load<u8>(from + 2 * planeBytes), 2)
    }
  }
  return address
}

/** Makes room for the table and for the normalised crop behind it, and returns the address of the table. */
export function newTable(): usize {
  return passing(<u64>TABLE_BYTES + <u64>width * height * 12)
}

/** Writes the crop's values, looked up in the table of their channel, as float32 planes behind the table. */
export function normalize(table: usize): void {
  let to = table + TABLE_BYTES
  for (let plane = planes; plane < planes + 3 * planeBytes; plane += planeBytes) {
    for (let y = 0; y < height; y++) {
      let from = plane + <usize>y * stride
      const end = from + width
      const fours = from + (<usize>width & ~3)
      for (; from < fours; from += 4, to += 16) {
        const a = load<u32>(table + (<usize>load<u8>(from) << 2))
        const b = load<u32>(table + (<usize>load<u8>(from, 1) << 2))
        const c = load<u32>(table + (<usize>load<u8>(from, 2) << 2))
        const d = load<u32>(table + (<usize>load<u8>(from, 3) << 2))
        store<u32>(to, a)
        store<u32>(to, b, 4)
        store<u32>(to, c, 8)
        store<u32>(to, d, 12)
      }
      for (; from < end; from++, to += 4) store<u32>(to, load<u32>(table + (<usize>load<u8>(from) << 2)))
    }
    table += 1024
  }
}
