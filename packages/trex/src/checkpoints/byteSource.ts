/** Bytes that are read piece by piece: a file, or a buffer where there are no files. */
export interface ByteSource {
  /** What errors call it. */
  readonly name: string
  readonly size: number
  /** Bytes `offset` to `offset + length`, which the caller has checked to be inside; they may be a view. */
  read(offset: number, length: number): Uint8Array
}

/** A source over bytes in memory. */
export function bufferSource({ buffer, byteOffset, byteLength }: Uint8Array, name: string): ByteSource {
  const read = (offset: number, length: number) => new Uint8Array(buffer, byteOffset + offset, length)
  return { name, size: byteLength, read }
}
