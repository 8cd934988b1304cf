import { existsSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { type RawTensor, typedArrayOf } from 'trex-torch/safetensors'
import type { ByteSource } from '../checkpoints/byteSource.js'
import { openFileSource } from '../checkpoints/fileSource.js'
import { openPth } from '../checkpoints/pth.js'
import { PthTensor } from '../checkpoints/pthTensor.js'
import { readZip } from '../checkpoints/zip.js'
import { TrexError } from '../errors.js'
import { floats, readFeatureFile, type StoredFeatures } from './featureFile.js'
import { npyItemBytes, readNpyHeader } from './npy.js'

/**
 * Reads features from disk: a feature file of `trex extract` (.safetensors), numpy's .npz (`features` or `X`, `labels` or
 * `Y`), NAME.features.npy with NAME.labels.npy beside it, or the .pth feature files of others, a dict of the tensors
 * `X` [n, dim] and `Y` [n].
 * @throws TrexError when a file is missing, damaged, or holds something else.
 */
export function readFeatures(path: string): StoredFeatures {
  if (!existsSync(path)) throw new TrexError(`there is no feature file ${path}`, { hint: 'check the path' })
  switch (extname(path).toLowerCase()) {
    case '.safetensors':
      return readFeatureFile(path)
    case '.npz':
      return readNpz(path)
    case '.npy':
      return readNpy(path)
    case '.pth':
    case '.pt':
      return readPth(path)
    default:
      throw new TrexError(`${path} is no feature file`, {
        hint: 'give a .safetensors, .npz, .npy or .pth file',
      })
  }
}

/** Elements with their shape. */
interface Elements {
  readonly shape: readonly number[]
  readonly values: ReturnType<typeof typedArrayOf>
}

function readNpz(path: string): StoredFeatures {
  using source = openFileSource(path)
  const members = readZip(source)
  const member = (...names: string[]) => {
    const found = names.map((name) => members.get(`${name}.npy`)).find((entry) => entry !== undefined)
    return found && elementsIn(source, found.offset, found.size, `${found.name} of ${path}`)
  }
  const paths = members.get('paths.npy')
  return {
    ...setOf(path, member('features', 'X'), member('labels', 'Y')),
    paths: paths ? textsIn(source, paths.offset, paths.size, path) : null,
    info: null,
  }
}

function readNpy(path: string): StoredFeatures {
  const beside = (part: string) => join(dirname(path), basename(path).replace('features', part))
  const read = (file: string) => {
    using source = openFileSource(file)
    return elementsIn(source, 0, source.size, file)
  }
  const labels = beside('labels')
  if (!basename(path).includes('features') || !existsSync(labels))
    throw new TrexError(`${path} has no labels beside it`, {
      hint: 'give NAME.features.npy, which has NAME.labels.npy beside it',
    })
  let paths: string[] | null = null
  if (existsSync(beside('paths'))) {
    using source = openFileSource(beside('paths'))
    paths = textsIn(source, 0, source.size, source.name)
  }
  return { ...setOf(path, read(path), read(labels)), paths, info: null }
}

function readPth(path: string): StoredFeatures {
  using source = openFileSource(path)
  const file = openPth(source)
  const tensor = (...names: string[]): Elements | undefined => {
    const { root } = file
    const found = root instanceof Map ? names.map((name) => root.get(name)) : []
    const value = found.find((value) => value instanceof PthTensor)
    return value && elementsOf(file.read(value))
  }
  return { ...setOf(path, tensor('X', 'features'), tensor('Y', 'labels')), paths: null, info: null }
}

const elementsOf = (raw: RawTensor): Elements => ({ shape: raw.shape, values: typedArrayOf(raw) })

/** Features and labels that fit together, as float32 and int32. */
function setOf(
  path: string,
  features: Elements | undefined,
  labels: Elements | undefined,
): Pick<StoredFeatures, 'features' | 'dim' | 'labels'> {
  if (!features || !labels)
    throw new TrexError(`${path} holds no features and labels`, {
      hint: 'it needs `features` or `X` [n, dim], and `labels` or `Y` [n]',
    })
  const [n, dim] = features.shape
  const floating = features.values instanceof Float32Array || features.values instanceof Float64Array
  const whole = labels.values instanceof Float32Array || labels.values instanceof Float64Array
  if (features.shape.length !== 2 || !floating || whole || labels.shape.length !== 1 || labels.shape[0] !== n)
    throw new TrexError(
      `${path} holds features of [${features.shape}] and labels of [${labels.shape}], not numbers of [n, dim] and whole ones of [n]`,
      { hint: 'save float32 or float64 features, a row an image, and its class number' },
    )
  const values = floats(path, n! * dim!)
  values.set(features.values as Float32Array)
  return { features: values, dim: dim!, labels: Int32Array.from(labels.values as Int32Array, Number) }
}

const KINDS = { '<f4': 'F32', '<f8': 'F64', '<i8': 'I64', '<i4': 'I32', '|u1': 'U8' } as const

function elementsIn(source: ByteSource, offset: number, size: number, name: string): Elements {
  const { type, shape, data } = arrayIn(source, offset, size, name)
  const dtype = KINDS[type as keyof typeof KINDS]
  if (!dtype) throw new TrexError(`${name} holds text`, { hint: 'save numbers' })
  return elementsOf({ dtype, shape, data })
}

/** The texts of an array of bytes `S` in numpy's format, at a place of a file. */
export function textsIn(source: ByteSource, offset: number, size: number, name: string): string[] {
  const { type, shape, data } = arrayIn(source, offset, size, name)
  const width = npyItemBytes(type)
  const decoder = new TextDecoder()
  return Array.from({ length: shape[0] ?? 1 }, (_, i) => {
    const item = data.subarray(i * width, (i + 1) * width)
    const end = item.indexOf(0)
    return decoder.decode(end < 0 ? item : item.subarray(0, end))
  })
}

const MOST_HEADER = 1 << 16

/** An array in numpy's format at a place of a file: its header and bytes. */
export function arrayIn(source: ByteSource, offset: number, size: number, name: string) {
  const head = readNpyHeader(source.read(offset, Math.min(size, MOST_HEADER)), name)
  const bytes = head.shape.reduce((product, length) => product * length, npyItemBytes(head.type))
  if (head.dataStart + bytes !== size)
    throw new TrexError(
      `${name} is damaged: [${head.shape}] of ${head.type} take ${bytes} bytes, it has ${size - head.dataStart}`,
      {
        hint: 'save it again',
      },
    )
  return { ...head, data: source.read(offset + head.dataStart, bytes) }
}
