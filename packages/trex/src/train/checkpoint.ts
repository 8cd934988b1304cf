import { createHash, type Hash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import {
  linkFileAtomic,
  openSafetensors,
  removeTemporaries,
  SafetensorsError,
  type SafetensorsReader,
  safetensorsChunks,
  type TensorSource,
  writeFileAtomic,
} from 'trex-torch/safetensors'
import { TrexError } from '../errors.js'

/** What JSON can hold; numbers are finite. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue }

/** All that a run needs to go on: tensors (weights, optimizer, bank, ...) and the rest as JSON. */
export interface CheckpointContent {
  readonly tensors: Iterable<TensorSource>
  readonly state: JsonValue
}

/** A verified checkpoint; close `tensors` when they have been read. */
export interface LoadedCheckpoint {
  readonly tensors: SafetensorsReader
  readonly state: JsonValue
}

const VERSION_KEY = 'trex.checkpoint'
const VERSION = '1'
const STATE_KEY = 'state'
const CHECKSUM = 'trex.checkpoint.sha256'
const CHECKSUM_BYTES = 32
const READ_BYTES = 1 << 22

/**
 * Writes a checkpoint: one safetensors file whose last tensor is the SHA-256 of every byte before it. `path`
 * holds the previous checkpoint until the new one is complete and on the disk, and keeps it when anything
 * fails. One process at a time may write a path: what a killed one left beside it is removed.
 * @throws TrexError naming the path when the disk is full or refuses, or the content cannot be stored.
 */
export function saveCheckpoint(path: string, content: CheckpointContent): void {
  const metadata = {
    [VERSION_KEY]: VERSION,
    [STATE_KEY]: JSON.stringify(requireJson(content.state, 'state', path)),
  }
  const hash = createHash('sha256')
  const digest = () => hash.copy().digest()
  const checksum: TensorSource = { name: CHECKSUM, dtype: 'U8', shape: [CHECKSUM_BYTES], data: digest }
  try {
    removeTemporaries(path)
    writeFileAtomic(path, hashed(safetensorsChunks([...content.tensors, checksum], metadata, path), hash))
  } catch (cause) {
    throw writeError(path, cause)
  }
}

/**
 * Makes a complete checkpoint known by another name as well, in place of what that name held; no bytes are written
 * where the file system has hard links.
 * @throws TrexError as `saveCheckpoint` does.
 */
export function shareCheckpoint(path: string, name: string): void {
  try {
    removeTemporaries(name)
    linkFileAtomic(path, name)
  } catch (cause) {
    throw writeError(name, cause)
  }
}

/**
 * Opens a checkpoint after verifying its checksum: any changed or missing byte is an error.
 * @throws TrexError when the file is missing, damaged, or not a checkpoint of this version.
 */
export function loadCheckpoint(path: string): LoadedCheckpoint {
  const reader = openReader(path)
  try {
    const version = reader.metadata[VERSION_KEY]
    if (version === undefined) {
      throw new TrexError(`${path} is a safetensors file, but no checkpoint of a run.`, {
        hint: 'To continue a run, give the run folder to --resume.',
      })
    }
    verify(reader, path)
    if (version !== VERSION) {
      throw new TrexError(
        `${path} is a checkpoint of version ${version}; this trex reads version ${VERSION}.`,
        {
          hint: 'Continue the run with the trex that wrote it.',
        },
      )
    }
    const state = JSON.parse(reader.metadata[STATE_KEY] ?? 'null') as JsonValue
    const entries = new Map([...reader.entries].filter(([name]) => name !== CHECKSUM))
    return { tensors: { ...reader, entries }, state }
  } catch (error) {
    reader.close()
    throw error
  }
}

function* hashed(chunks: Iterable<Uint8Array>, hash: Hash): Generator<Uint8Array, void, void> {
  for (const chunk of chunks) {
    hash.update(chunk)
    yield chunk
  }
}

function openReader(path: string): SafetensorsReader {
  try {
    return openSafetensors(path)
  } catch (cause) {
    if (!(cause instanceof SafetensorsError)) throw cause
    if (systemCode(cause.cause) === 'ENOENT') {
      throw new TrexError(`There is no checkpoint ${path}.`, {
        hint: 'Check the path of the run folder.',
        cause,
      })
    }
    throw damaged(path, cause.message, cause)
  }
}

function verify(reader: SafetensorsReader, path: string): void {
  const entry = reader.entries.get(CHECKSUM)
  const last = entry && [...reader.entries.values()].every(({ end }) => end <= entry.end)
  if (!last || entry.end - entry.begin !== CHECKSUM_BYTES) throw damaged(path, 'its checksum is missing')
  const expected = Buffer.from(reader.read(CHECKSUM).data)
  if (!digestOf(path, reader.dataStart + entry.begin).equals(expected)) {
    throw damaged(path, 'its content does not match its checksum')
  }
}

/** SHA-256 of the first `length` bytes of a file. */
function digestOf(path: string, length: number): Buffer {
  const hash = createHash('sha256')
  const buffer = new Uint8Array(Math.min(READ_BYTES, length))
  const file = openSync(path, 'r')
  try {
    for (let at = 0; at < length; ) {
      const count = readSync(file, buffer, 0, Math.min(READ_BYTES, length - at), at)
      if (count === 0) break
      hash.update(buffer.subarray(0, count))
      at += count
    }
  } finally {
    closeSync(file)
  }
  return hash.digest()
}

function requireJson(value: JsonValue, where: string, path: string): JsonValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) requireJson(item, `${where}[${i}]`, path)
    return value
  }
  if (typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    for (const [key, item] of Object.entries(value)) requireJson(item, `${where}.${key}`, path)
    return value
  }
  throw new TrexError(
    `Cannot write checkpoint ${path}: ${where} is ${String(value)}, which JSON cannot hold.`,
    {
      hint: 'Store it as a tensor, or as text.',
    },
  )
}

function damaged(path: string, what: string, cause?: unknown): TrexError {
  return new TrexError(`Checkpoint ${path} is damaged: ${what}.`, {
    hint: 'Restore it from a copy or start a new run, and check the disk.',
    cause,
  })
}

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'Free space on that disk',
  EDQUOT: 'Free space within your quota on that disk',
  EFBIG: 'Raise the file size limit (ulimit -f) or use another file system',
  EACCES: 'Make the folder writable',
  EROFS: 'Make the file system writable',
  ENOENT: 'Create the folder',
}

function writeError(path: string, cause: unknown): unknown {
  if (cause instanceof SafetensorsError) {
    return new TrexError(`Cannot write checkpoint: ${cause.message}.`, { cause })
  }
  const code = systemCode(cause)
  if (code === undefined) return cause
  const hint = `${HINTS[code] ?? 'Check the disk'}, or move the run folder to another disk, then continue the run with --resume.`
  return new TrexError(
    `Cannot write checkpoint ${path}: ${(cause as Error).message}. The last complete checkpoint is unharmed.`,
    { hint, cause },
  )
}

function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}
