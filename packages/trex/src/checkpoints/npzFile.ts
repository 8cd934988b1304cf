import { ITEM_SIZES, type RawDtype } from 'trex-torch/safetensors-format'
import type { ByteSource } from './byteSource.js'
import type { Checkpoint, StoredTensor } from './checkpoint.js'
import { CheckpointError } from './checkpointError.js'
import { crc32 } from './crc32.js'
import { inflate } from './inflate.js'
import { NPY_PREFIX, type NpyArray, npyDataStart, parseNpyHeader } from './npy.js'
import { inRowOrder } from './pthTensor.js'
import { quoted } from './quoted.js'
import { networkTree } from './tree.js'
import type { ZipEntry } from './zip.js'

const MAX_HEADER = 4096
/** Bytes that an array may take beyond those of the file: weights do not compress further. */
const FREE = 32 << 20
const MAX_DIMS = 64

/** numpy's names of element types; those without an order of bytes have one byte. */
const DTYPES: Readonly<Record<string, RawDtype>> = {
  ...{ '<f2': 'F16', '<f4': 'F32', '<f8': 'F64' },
  ...{ '|i1': 'I8', '<i2': 'I16', '<i4': 'I32', '<i8': 'I64' },
  ...{ '|u1': 'U8', '<u2': 'U16', '<u4': 'U32', '<u8': 'U64', '|b1': 'BOOL' },
}

interface Stored extends StoredTensor {
  readonly entry: ZipEntry
  readonly header: NpyArray
}

/**
 * Opens numpy's npz, compressed or not, an archive whose directory has been read. Arrays of objects, which are pickles, and of texts are not read.
 * @throws CheckpointError when it is damaged, holds arrays of another byte order, or such that a small file fills memory.
 */
export function openNpz(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>): Checkpoint {
  const { name, size } = source
  const tensors = new Map<string, Stored>()
  const unread: Record<string, string> = Object.create(null)
  for (const entry of entries.values()) {
    const own = entry.name.replace(/\.npy$/, '')
    if (own === entry.name) unread[own] = 'no array'
    else {
      const array = storedArray(source, entry)
      if (typeof array === 'string') unread[own] = array
      else tensors.set(own, array)
    }
  }
  const network = { path: '', tensors, read: (tensor: string) => readArray(source, tensors.get(tensor)!) }
  return {
    ...{ name, size, format: 'npz', metadata: {}, networks: tensors.size ? [network] : [] },
    tree: () => networkTree(tensors, { 'not read': unread }),
  }
}

/** The header of a member; a text: it is no array of numbers. */
function storedArray(source: ByteSource, entry: ZipEntry): Stored | string {
  const fail = (what: string): never => {
    throw new CheckpointError(source.name, `array ${quoted(entry.name)} ${what}`, {
      hint: 'Save it again with numpy.savez.',
    })
  }
  const head = contentOf(source, entry, Math.min(entry.size, NPY_PREFIX))
  const start = npyDataStart(head) ?? fail('is no array in the format of numpy')
  if (start > entry.size || start > MAX_HEADER) fail('has a header that is not understood')
  const header = parseNpyHeader(contentOf(source, entry, start))
  if (typeof header === 'string') return 'array of records, which is not read'
  const { descr, shape } = header
  if (descr.startsWith('>')) fail('has its numbers in another byte order than little-endian')
  const dtype = Object.hasOwn(DTYPES, descr) ? DTYPES[descr]! : undefined
  if (!dtype) return `array of ${descr}, which is not read`
  const bytes = shape.reduce((product, length) => product * length, ITEM_SIZES[dtype])
  if (shape.length > MAX_DIMS || start + bytes !== entry.size)
    fail(
      `is damaged: [${shape.slice(0, MAX_DIMS)}] of ${dtype} take ${bytes} bytes, it has ${entry.size - start}`,
    )
  if (entry.size > source.size + FREE)
    fail(`would grow from ${entry.packed} bytes to ${entry.size}, as no weights do`)
  return { dtype, shape, entry, header }
}

/** The first bytes of a member; with all of them its checksum is compared. @throws CheckpointError when it is damaged. */
function contentOf(
  source: ByteSource,
  { name, offset, packed, size, deflated, crc }: ZipEntry,
  length: number,
): Uint8Array {
  const whole = length === size
  const damaged = (what: string, cause?: unknown): never => {
    throw new CheckpointError(source.name, `array ${quoted(name)} is damaged: ${what}`, {
      cause,
      hint: 'Download or copy it again.',
    })
  }
  let bytes: Uint8Array
  try {
    bytes = deflated ? inflate(source, { offset, packed, size: length, whole }) : source.read(offset, length)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    return damaged(cause.message, cause)
  }
  if (whole && crc32(bytes) !== crc) damaged('its checksum is wrong')
  return bytes
}

function readArray(source: ByteSource, { dtype, shape, entry, header }: Stored) {
  const elements = contentOf(source, entry, entry.size).subarray(header.dataStart)
  if (!header.fortran) return { dtype, shape, data: elements }
  const strides = shape.map((_, i) => shape.slice(0, i).reduce((product, length) => product * length, 1))
  return { dtype, shape, data: inRowOrder(elements, ITEM_SIZES[dtype], shape, strides) }
}
