import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import {
  openSafetensors,
  SafetensorsError,
  type SafetensorsReader,
  typedArrayOf,
  writeFileAtomic,
  writeSafetensors,
} from 'trex-torch/safetensors'
import { z } from 'zod'
import { TrexError } from '../errors.js'
import type { FeatureSet } from '../transfer/featureSet.js'
import { identitySchema } from './identity.js'

/** What a feature file says of itself, in JSON. */
export const infoSchema = z.strictObject({
  version: z.literal(1),
  identity: identitySchema,
  /** The encoder in words. */
  encoder: z.string(),
  /** Engine and device that computed. */
  computed: z.string(),
  /** What paths are relative to, and which part of the data it is. */
  root: z.string(),
  split: z.string(),
  classes: z.array(z.string()),
  /** Images that could not be read and have no row: place among all, path, reason. */
  leftOut: z.array(z.strictObject({ index: z.number(), path: z.string(), reason: z.string() })),
})

/** What a feature file says of itself. */
export type FeatureInfo = Readonly<z.infer<typeof infoSchema>>

/** Features on disk, read: with the paths of their images. */
export interface StoredFeatures extends FeatureSet {
  /** [n], relative to `info.root`; null in files of others that have none. */
  readonly paths: readonly string[] | null
  /** Null in files of others. */
  readonly info: FeatureInfo | null
}

/** Rows to write: the features come in pieces, so that they need not be in memory at once. */
export interface FeatureRows {
  readonly dim: number
  /** The bytes of F32 [n, dim]; called twice. */
  readonly features: () => Iterable<Uint8Array>
  /** [n] */
  readonly labels: Int32Array
  /** [n] */
  readonly paths: readonly string[]
}

const KEY = 'trex.features'
const CHECKSUM = 'trex.sha256'
/** All tensors, in the order in which the checksum has them. */
const TENSORS = ['features', 'labels', 'path_offsets', 'path_bytes'] as const

/**
 * Writes a feature file: safetensors with `features` F32 [n, dim], `labels` I64 [n], and the paths as UTF-8 in
 * `path_bytes` U8, the i-th from `path_offsets`[i] to [i + 1]. All else and a checksum are in the metadata. The file
 * appears when it is complete.
 * @throws TrexError when it cannot be written.
 */
export function writeFeatureFile(
  path: string,
  info: FeatureInfo,
  { dim, features, labels, paths }: FeatureRows,
): void {
  const n = labels.length
  const text = JSON.stringify(info)
  const small = { labels: bytesOf(BigInt64Array.from(labels, BigInt)), ...packPaths(paths) }
  const hash = createHash('sha256').update(text)
  for (const piece of features()) hash.update(piece)
  for (const data of [small.labels, small.path_offsets, small.path_bytes]) hash.update(data)
  try {
    writeSafetensors(
      path,
      [
        { name: 'features', dtype: 'F32', shape: [n, dim], data: features },
        { name: 'labels', dtype: 'I64', shape: [n], data: small.labels },
        { name: 'path_offsets', dtype: 'I64', shape: [n + 1], data: small.path_offsets },
        { name: 'path_bytes', dtype: 'U8', shape: [small.path_bytes.length], data: small.path_bytes },
      ],
      { [KEY]: text, [CHECKSUM]: hash.digest('hex') },
    )
  } catch (cause) {
    throw cannotWrite(cause)
  }
}

/**
 * Checks a feature file against its checksum without holding it in memory; what it says of itself.
 * @throws TrexError when it is damaged, or is none.
 */
export function checkFeatureFile(
  path: string,
): FeatureInfo & { readonly images: number; readonly dim: number } {
  using reader = open(path)
  const [images, dim] = shapeOf(path, reader)
  return { ...checked(path, reader), images, dim }
}

/**
 * Reads a feature file, checked against its checksum.
 * @throws TrexError when it is damaged, is none, or does not fit in memory.
 */
export function readFeatureFile(path: string): StoredFeatures {
  using reader = open(path)
  const info = checked(path, reader)
  const [n, dim] = shapeOf(path, reader)
  const features = floats(path, n * dim)
  reader.readInto('features', features)
  const labels = Int32Array.from(typedArrayOf(reader.read('labels')) as BigInt64Array, Number)
  return { features, dim, labels, paths: readPaths(reader), info }
}

/** The paths in an open feature file. */
export function readPaths(reader: SafetensorsReader): string[] {
  const offsets = typedArrayOf(reader.read('path_offsets')) as BigInt64Array
  const bytes = reader.read('path_bytes').data
  const decoder = new TextDecoder()
  return Array.from({ length: offsets.length - 1 }, (_, i) =>
    decoder.decode(bytes.subarray(Number(offsets[i]), Number(offsets[i + 1]))),
  )
}

/** Copies a feature file, so that `path` appears when it is complete. @throws TrexError when it cannot be written. */
export function copyFeatureFile(file: string, path: string): void {
  try {
    writeFileAtomic(path, slices(file, 0, statSync(file).size))
  } catch (cause) {
    throw cannotWrite(cause)
  }
}

const cannotWrite = (cause: unknown): TrexError =>
  new TrexError(`the features cannot be written: ${(cause as Error).message}`, {
    hint: 'free some space, then give the same command again: it goes on where it stopped',
    cause,
  })

/** Memory for so many features. @throws TrexError when there is none. */
export function floats(path: string, count: number): Float32Array {
  try {
    return new Float32Array(count)
  } catch (cause) {
    throw new TrexError(`the ${count} features of ${path} do not fit in memory`, {
      hint: 'use a machine with more memory, or part of the data',
      cause,
    })
  }
}

function open(path: string): SafetensorsReader {
  try {
    return openSafetensors(path)
  } catch (cause) {
    if (!(cause instanceof SafetensorsError)) throw cause
    throw damaged(path, cause.message, cause)
  }
}

function shapeOf(path: string, { entries }: SafetensorsReader): [n: number, dim: number] {
  const shape = entries.get('features')?.shape ?? []
  if (shape.length !== 2) throw damaged(path, `its features are [${shape}]`)
  return [shape[0]!, shape[1]!]
}

function checked(path: string, reader: SafetensorsReader): FeatureInfo {
  const { metadata } = reader
  const text = metadata[KEY]
  if (text === undefined || TENSORS.some((name) => !reader.entries.has(name)))
    throw new TrexError(`${path} is no feature file of trex`, {
      hint: 'give a file that `trex extract` wrote',
    })
  const hash = createHash('sha256').update(text)
  for (const name of TENSORS) {
    const { begin, end } = reader.entries.get(name)!
    for (const piece of slices(path, reader.dataStart + begin, reader.dataStart + end)) hash.update(piece)
  }
  if (hash.digest('hex') !== metadata[CHECKSUM]) throw damaged(path, 'its checksum is another')
  const info = infoSchema.safeParse(JSON.parse(text))
  if (!info.success) throw damaged(path, `its ${KEY} is not understood`)
  return info.data
}

const damaged = (path: string, why: string, cause?: unknown): TrexError =>
  new TrexError(`the feature file ${path} is damaged: ${why}`, {
    hint: 'remove it: the features are extracted anew',
    cause,
  })

const SLICE = 1 << 24

/** The bytes of a file from `begin` to `end`, 16 MiB at a time; each slice lasts until the next. */
export function* slices(path: string, begin: number, end: number): Generator<Uint8Array> {
  const file = openSync(path, 'r')
  try {
    const buffer = new Uint8Array(Math.min(SLICE, end - begin))
    for (let at = begin; at < end; ) {
      const count = readSync(file, buffer, 0, Math.min(buffer.length, end - at), at)
      if (count === 0) throw damaged(path, 'it ends too early')
      yield buffer.subarray(0, count)
      at += count
    }
  } finally {
    closeSync(file)
  }
}

/** The paths one after the other, and where each begins and the last ends. */
function packPaths(paths: readonly string[]): { path_offsets: Uint8Array; path_bytes: Uint8Array } {
  const encoder = new TextEncoder()
  const encoded = paths.map((path) => encoder.encode(path))
  const offsets = new BigInt64Array(paths.length + 1)
  for (const [i, { length }] of encoded.entries()) offsets[i + 1] = offsets[i]! + BigInt(length)
  const bytes = new Uint8Array(Number(offsets[paths.length]))
  for (const [i, path] of encoded.entries()) bytes.set(path, Number(offsets[i]))
  return { path_offsets: bytesOf(offsets), path_bytes: bytes }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: BigInt64Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)
