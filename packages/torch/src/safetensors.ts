import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { writeFileAtomic } from './atomicFile.js'
import {
  bytesOf,
  entryOf,
  headerLength,
  PREFIX_BYTES,
  parseHeader,
  type RawArray,
  type RawDtype,
  type RawTensor,
  type SafetensorsEntry,
  SafetensorsError,
  type SafetensorsHeader,
  type SafetensorsReader,
  safetensorsChunks,
  type TensorSource,
} from './safetensorsFormat.js'

export { linkFileAtomic, removeTemporaries, removeTemporariesIn, writeFileAtomic } from './atomicFile.js'
export { parseSafetensors, typedArrayOf } from './safetensorsFormat.js'
export {
  type RawArray,
  type RawDtype,
  type RawTensor,
  type SafetensorsEntry,
  SafetensorsError,
  type SafetensorsHeader,
  type SafetensorsReader,
  safetensorsChunks,
  type TensorSource,
}

const READ_SLICE = 1 << 30 // bytes asked of one read call

/** Reads and checks the header of a file and closes it again. @throws SafetensorsError */
export function readHeader(path: string): SafetensorsHeader {
  using reader = openSafetensors(path)
  const { metadata, entries, dataStart } = reader
  return { metadata, entries, dataStart }
}

/**
 * Opens a file for reading tensors one by one; nothing but the header is read before it is asked for.
 * @throws SafetensorsError when the file cannot be opened or its header is wrong.
 */
export function openSafetensors(path: string): SafetensorsReader {
  let file: number | undefined = attempt(path, 'cannot open', () => openSync(path, 'r'))
  const close = () => {
    if (file !== undefined) closeSync(file)
    file = undefined
  }
  const readAt = (position: number, target: Uint8Array) => {
    if (file === undefined) throw new SafetensorsError(path, 'has been closed')
    readExactly(file, position, target, path)
  }
  try {
    const opened = file
    const fileBytes = attempt(path, 'cannot read', () => fstatSync(opened)).size
    const prefix = new Uint8Array(PREFIX_BYTES)
    if (fileBytes >= PREFIX_BYTES) readAt(0, prefix)
    const length = headerLength(prefix, fileBytes, path)
    const json = new Uint8Array(length)
    readAt(PREFIX_BYTES, json)
    const header = parseHeader(json, fileBytes - PREFIX_BYTES - length, path)
    const readInto = (name: string, target: ArrayBufferView) => {
      const { begin, end } = entryOf(header, name, path)
      if (target.byteLength !== end - begin) {
        const what = `takes ${end - begin} bytes, the buffer has ${target.byteLength}`
        throw new SafetensorsError(path, what, { tensor: name })
      }
      readAt(header.dataStart + begin, bytesOf(target))
    }
    const read = (name: string) => {
      const { dtype, shape, begin, end } = entryOf(header, name, path)
      const data = attempt(path, `cannot hold tensor ${name}`, () => new Uint8Array(end - begin))
      readInto(name, data)
      return { dtype, shape, data }
    }
    return { ...header, read, readInto, close, [Symbol.dispose]: close }
  } catch (error) {
    close()
    throw error
  }
}

/**
 * Writes a safetensors file, tensor by tensor; `path` appears only when it is complete, and keeps what it
 * held before when anything fails.
 * @throws SafetensorsError naming the path (`cause` is the system's error, for instance a full disk).
 */
export function writeSafetensors(
  path: string,
  tensors: Iterable<TensorSource>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  attempt(path, 'cannot write', () => writeFileAtomic(path, safetensorsChunks(tensors, metadata, path)))
}

function readExactly(file: number, position: number, target: Uint8Array, path: string): void {
  for (let at = 0; at < target.byteLength; ) {
    const length = Math.min(READ_SLICE, target.byteLength - at)
    const count = attempt(path, 'cannot read', () => readSync(file, target, at, length, position + at))
    if (count === 0) throw new SafetensorsError(path, `truncated: ends at byte ${position + at}`)
    at += count
  }
}

function attempt<T>(path: string, what: string, act: () => T): T {
  try {
    return act()
  } catch (cause) {
    if (cause instanceof SafetensorsError) throw cause
    throw new SafetensorsError(path, `${what}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}
