import type { EncoderKind } from '../../src/checkpoints/encoderKind.js'
import { encoderShapes } from '../../src/checkpoints/encoderShapes.js'
import { raw, u32, u64 } from './hostileModel.js'
import { zipOf } from './zips.js'

// Pickles by hand, opcode by opcode.

type Part = Uint8Array | string

export const text = (value: string): Buffer => {
  const bytes = Buffer.from(value)
  return raw('X', u32(bytes.length), bytes)
}
/** An integer of eight bytes. */
export const long = (value: number | bigint): Buffer =>
  raw('\x8a\x08', Buffer.from(BigInt64Array.of(BigInt(value)).buffer))
export const float = (value: number): Buffer => {
  const bytes = Buffer.alloc(9, 'G')
  bytes.writeDoubleBE(value, 1)
  return bytes
}
export const tuple = (...items: Part[]): Buffer => raw('(', ...items, 't')
export const list = (...items: Part[]): Buffer => raw('](', ...items, 'e')
export const dict = (...items: Part[]): Buffer => raw('}(', ...items, 'u')
export const global = (module: string, name: string): Buffer => raw(`c${module}\n${name}\n`)
export const call = (callable: Part, ...args: Part[]): Buffer => raw(callable, tuple(...args), 'R')
export const times = (count: number, item: (i: number) => Part): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => raw(item(i))))

export interface TensorParts {
  kind?: string
  key?: Part
  elements?: Part
  offset?: Part
  shape?: Part[]
  strides?: Part[]
  tag?: string
  rebuild?: string
}

/** A tensor as torch.save names it. */
export function tensor(parts: TensorParts = {}): Buffer {
  const {
    kind = 'FloatStorage',
    key = text('0'),
    elements = long(4),
    offset = long(0),
    tag = 'storage',
  } = parts
  const { shape = [long(4)], strides = [long(1)], rebuild = '_rebuild_tensor_v2' } = parts
  const storage = raw(tuple(text(tag), global('torch', kind), key, text('cpu'), elements), 'Q')
  const hooks = call(global('collections', 'OrderedDict'))
  return call(
    global('torch._utils', rebuild),
    storage,
    offset,
    tuple(...shape),
    tuple(...strides),
    '\x89',
    hooks,
  )
}

const FOUR = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer)

/** An archive as torch.save writes one, around a pickle. */
export const saved = (
  pickle: Part,
  storages: Record<string, Part> = { 0: FOUR },
  more: Record<string, Part> = {},
): Buffer =>
  zipOf([
    { name: 'a/data.pkl', data: raw('\x80\x02', pickle, '.') },
    { name: 'a/byteorder', data: 'little' },
    ...Object.entries({ ...more }).map(([name, data]) => ({ name: `a/${name}`, data })),
    ...Object.entries(storages).map(([key, data]) => ({ name: `a/data/${key}`, data })),
    { name: 'a/version', data: '3\n' },
  ])

const MAGIC = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex')

/** A file as PyTorch wrote before 1.6. */
export const legacy = (
  object: Part,
  {
    keys = list(text('0')),
    magic = MAGIC,
    version = 1001,
    little = '\x88',
    tail = raw(u64(4), FOUR) as Part,
  } = {},
): Buffer =>
  raw(
    magic,
    '\x80\x02M',
    Uint8Array.of(version & 255, version >> 8),
    '.\x80\x02}',
    text('little_endian'),
    little,
    's.',
    '\x80\x02',
    object,
    '.\x80\x02',
    keys,
    '.',
    tail,
  )

/** A state dict of an encoder in a few kB: each tensor is one element, repeated. */
export function encoderPickle(kind: EncoderKind): Buffer {
  const entries = [...encoderShapes(kind)].flatMap(([name, shape]) => [
    text(name),
    tensor({ elements: long(4), shape: shape.map(long), strides: shape.map(() => long(0)) }),
  ])
  return dict(...entries)
}

export const RESNET18: EncoderKind = { encoder: 'resnet18', stem: 'imagenet', imageSize: 224 }
export const RESNET50: EncoderKind = { encoder: 'resnet50', stem: 'imagenet', imageSize: 224 }
