import { type HeaderValue, parseHeaderJson } from './safetensorsJson.js'

/** Bytes of one element of each dtype that safetensors files can hold here. */
export const ITEM_SIZES = {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const

/** An element type, as safetensors spells it. */
export type RawDtype = keyof typeof ITEM_SIZES

/** Where one tensor lies: `begin` and `end` are bytes from the start of the data section. */
export interface SafetensorsEntry {
  readonly dtype: RawDtype
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

/**
 * The header of a file: text metadata, tensors in header order, and where the data section starts in the
 * file.
 */
export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>
  readonly entries: ReadonlyMap<string, SafetensorsEntry>
  readonly dataStart: number
}

/**
 * What is wrong with a safetensors file (or with what should be written to one); names the file and the
 * tensor.
 */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError'
  readonly file: string
  readonly tensor: string | undefined

  constructor(file: string, what: string, options: { tensor?: string; cause?: unknown } = {}) {
    const where = options.tensor === undefined ? file : `${file}: tensor ${JSON.stringify(options.tensor)}`
    super(`${where}: ${what}`, { cause: options.cause })
    this.file = file
    this.tensor = options.tensor
  }
}

/** The most bytes a header may take, as in the reference implementation. */
export const MAX_HEADER_BYTES = 100_000_000
/** Bytes before the header: its length, an unsigned 64-bit little-endian integer. */
export const PREFIX_BYTES = 8

const METADATA_KEY = '__metadata__'
const LONE_SURROGATE = /\p{Surrogate}/u

/**
 * Length of the header that the first 8 bytes of a file announce.
 * @throws SafetensorsError when the file cannot hold such a header.
 */
export function headerLength(prefix: Uint8Array, fileBytes: number, file: string): number {
  if (fileBytes < PREFIX_BYTES || prefix.byteLength < PREFIX_BYTES) {
    throw new SafetensorsError(file, `truncated: ${fileBytes} bytes, but the header length alone takes 8`)
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_BYTES).getBigUint64(0, true)
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new SafetensorsError(
      file,
      `announces a header of ${length} bytes (limit ${MAX_HEADER_BYTES}); this is no safetensors file`,
    )
  }
  if (Number(length) > fileBytes - PREFIX_BYTES) {
    throw new SafetensorsError(file, `truncated: header of ${length} bytes in a file of ${fileBytes}`)
  }
  return Number(length)
}

/**
 * Parses and checks a header: every tensor's size equals its shape, and together they tile the data section
 * exactly.
 * @throws SafetensorsError naming the file, the tensor and the fault.
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number, file: string): SafetensorsHeader {
  const root = decode(bytes, file)
  const entries = new Map<string, SafetensorsEntry>()
  for (const [name, value] of root) {
    if (name === METADATA_KEY) continue
    entries.set(name, checkEntry(name, value, file))
  }
  checkTiling(entries, dataBytes, file)
  const metadata = checkMetadata(root.get(METADATA_KEY), file)
  return { metadata, entries, dataStart: PREFIX_BYTES + bytes.byteLength }
}

/**
 * Length prefix and header of a file, padded with spaces so that the data section starts at a multiple of 8
 * bytes.
 * @throws SafetensorsError for names and metadata that cannot be stored.
 */
export function encodeHeader(
  entries: ReadonlyMap<string, SafetensorsEntry>,
  metadata: Readonly<Record<string, string>>,
  file: string,
): Uint8Array {
  const fields: string[] = []
  const text = Object.entries(metadata)
  for (const [key, value] of text) {
    if (typeof value !== 'string')
      throw new SafetensorsError(file, `metadata ${JSON.stringify(key)} is no string`)
    checkName(key, file)
    if (LONE_SURROGATE.test(value)) {
      throw new SafetensorsError(file, `metadata ${JSON.stringify(key)} is not valid Unicode`)
    }
  }
  const pair = (key: string, value: unknown) => `${JSON.stringify(key)}:${JSON.stringify(value)}`
  if (text.length > 0)
    fields.push(`"${METADATA_KEY}":{${text.map(([key, value]) => pair(key, value)).join(',')}}`)
  for (const [name, { dtype, shape, begin, end }] of entries) {
    checkName(name, file)
    if (name === METADATA_KEY) throw new SafetensorsError(file, 'reserved name', { tensor: name })
    fields.push(pair(name, { dtype, shape, data_offsets: [begin, end] }))
  }
  const json = new TextEncoder().encode(`{${fields.join(',')}}`)
  const length = Math.ceil(json.byteLength / 8) * 8
  if (length > MAX_HEADER_BYTES) {
    throw new SafetensorsError(file, `the header would take ${length} bytes (limit ${MAX_HEADER_BYTES})`)
  }
  const bytes = new Uint8Array(PREFIX_BYTES + length).fill(0x20)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true)
  bytes.set(json, PREFIX_BYTES)
  return bytes
}

/**
 * Bytes that a tensor of this dtype and shape takes.
 * @throws SafetensorsError for an unknown dtype, a dimension that is no non-negative integer, or a size past
 * 2^53.
 */
export function byteSize(dtype: string, shape: readonly unknown[], file: string, tensor: string): number {
  if (!Object.hasOwn(ITEM_SIZES, dtype)) {
    const known = Object.keys(ITEM_SIZES).join(', ')
    throw new SafetensorsError(file, `unknown dtype ${JSON.stringify(dtype)} (known: ${known})`, { tensor })
  }
  let size: number = ITEM_SIZES[dtype as RawDtype]
  for (const dim of shape) {
    if (!isLength(dim)) {
      throw new SafetensorsError(file, `shape [${shape}] must hold non-negative integers`, { tensor })
    }
    size *= dim
    if (!Number.isSafeInteger(size))
      throw new SafetensorsError(file, `size of shape [${shape}] overflows`, { tensor })
  }
  return size
}

function decode(bytes: Uint8Array, file: string): Map<string, HeaderValue> {
  if (bytes[0] !== 0x7b)
    throw new SafetensorsError(file, "header does not start with '{'; this is no safetensors file")
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new SafetensorsError(file, 'header is not valid JSON: not valid UTF-8', { cause })
  }
  let root: HeaderValue
  try {
    root = parseHeaderJson(text)
  } catch (cause) {
    throw new SafetensorsError(file, `header is not valid JSON: ${(cause as Error).message}`, { cause })
  }
  if (!(root instanceof Map)) throw new SafetensorsError(file, 'header is no JSON object')
  return root
}

function checkName(name: string, file: string): void {
  if (name === '__proto__' || LONE_SURROGATE.test(name)) {
    throw new SafetensorsError(file, `key ${JSON.stringify(name)} is not allowed`)
  }
}

function checkMetadata(value: HeaderValue | undefined, file: string): Record<string, string> {
  const metadata: Record<string, string> = Object.create(null)
  if (value === undefined || value === null) return metadata
  if (!(value instanceof Map)) throw new SafetensorsError(file, `${METADATA_KEY} is no object`)
  for (const [key, text] of value) {
    checkName(key, file)
    if (typeof text !== 'string')
      throw new SafetensorsError(file, `${METADATA_KEY} ${JSON.stringify(key)} is no string`)
    metadata[key] = text
  }
  return metadata
}

function checkEntry(name: string, value: HeaderValue, file: string): SafetensorsEntry {
  checkName(name, file)
  const fail = (what: string): never => {
    throw new SafetensorsError(file, what, { tensor: name })
  }
  if (!(value instanceof Map)) return fail('is described by no object')
  const dtype = value.get('dtype')
  const shape = value.get('shape')
  const offsets = value.get('data_offsets')
  if (typeof dtype !== 'string') return fail('dtype is missing or no string')
  if (!Array.isArray(shape)) return fail('shape is missing or no list')
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isLength)) {
    return fail('data_offsets must be two non-negative integers')
  }
  const [begin, end] = offsets as [number, number]
  if (begin > end) fail(`data_offsets [${begin}, ${end}] run backwards`)
  const size = byteSize(dtype, shape, file, name)
  if (end - begin !== size) fail(`${dtype} of shape [${shape}] takes ${size} bytes, but has ${end - begin}`)
  return { dtype: dtype as RawDtype, shape: shape as number[], begin, end }
}

function checkTiling(entries: ReadonlyMap<string, SafetensorsEntry>, dataBytes: number, file: string): void {
  const sorted = [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)
  let covered = 0
  for (const [tensor, { begin, end }] of sorted) {
    if (end > dataBytes) {
      const what = `out of bounds: bytes ${begin} to ${end} of a data section of ${dataBytes}`
      throw new SafetensorsError(file, `${what} (is the file truncated?)`, { tensor })
    }
    if (begin < covered) {
      throw new SafetensorsError(file, `overlaps another tensor at byte ${begin}`, { tensor })
    }
    if (begin > covered) {
      throw new SafetensorsError(file, `hole: bytes ${covered} to ${begin} belong to no tensor`, { tensor })
    }
    covered = end
  }
  if (covered !== dataBytes) {
    throw new SafetensorsError(file, `hole: bytes ${covered} to ${dataBytes} belong to no tensor`)
  }
}

function isLength(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0)
}
