/** Set when the memory could not grow: the host tells this trap from a programming error by it. */
export let exhausted: bool = false

/** End of the memory in use. */
let top: usize = 0

/** The first byte that is free for images and tables, a multiple of 16. */
export function base(): usize {
  return (__heap_base + 15) & ~15
}

/** Frees all that was allocated from `address` on. */
export function release(address: usize): void {
  top = address
}

/** `bytes` bytes of undefined content, at a multiple of 16; grows the memory, or sets `exhausted` and traps. */
export function allocate(bytes: u64): usize {
  const address = top
  const end = (<u64>address + bytes + 15) & ~15
  const present = <u64>memory.size() << 16
  if (end > present) {
    // i32.MAX_VALUE is far more pages than there can be, so a size that does not fit is refused as well.
    const pages = (end - present + 0xffff) >> 16
    if (memory.grow(<i32>min<u64>(pages, <u64>i32.MAX_VALUE)) < 0) {
      exhausted = true
      unreachable()
    }
  }
  top = <usize>end
  return address
}
