import { readFileSync } from 'node:fs'
import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { typedArrayOf } from 'trex-torch/safetensors'
import { describe, expect, test } from 'vitest'
import { bufferSource } from './byteSource.js'
import { floatsOf } from './castTensor.js'
import { CheckpointError } from './checkpointError.js'
import { openCheckpoint } from './openCheckpoint.js'
import type { BranchNode, TreeNode } from './tree.js'

// weightFixtures.py wrote the files with numpy and onnx, pthFixtures.py with PyTorch.

const read = (name: string) => readFileSync(new URL(`../../test/golden/${name}`, import.meta.url))
const open = (name: string) => openCheckpoint(bufferSource(read(name), name))

type Expected = Record<string, { dtype: string; shape: number[]; values: number[] }>
const expected = JSON.parse(read('weights/expected.json').toString()) as Record<string, Expected>

const DTYPES: Record<string, string> = {
  ...{ float64: 'F64', float32: 'F32', float16: 'F16', bfloat16: 'BF16', bool: 'BOOL' },
  ...{ int64: 'I64', int32: 'I32', int16: 'I16', int8: 'I8' },
  ...{ uint64: 'U64', uint32: 'U32', uint16: 'U16', uint8: 'U8' },
}

describe.each(Object.entries(expected))('%s', (name, tensors) => {
  test('every tensor has its dtype, shape and values', () => {
    const [network] = open(`weights/${name}`).networks
    for (const [key, { dtype, shape, values }] of Object.entries(tensors)) {
      const raw = network!.read(key)
      expect([raw.dtype, raw.shape], key).toEqual([DTYPES[dtype], shape])
      expect(network!.tensors.get(key), key).toMatchObject({ dtype: raw.dtype, shape })
      const floats = /^B?F/.test(raw.dtype) && raw.dtype !== 'F64'
      const array = floats ? floatsOf(raw) : (typedArrayOf(raw) as ArrayLike<number | bigint>)
      expect(Array.from(array, Number), key).toEqual(values)
    }
  })
})

const entry = (node: TreeNode, ...keys: string[]): TreeNode | undefined =>
  keys.reduce<TreeNode | undefined>(
    (inner, key) => (inner as BranchNode).entries.find(([name]) => name === key)?.[1],
    node,
  )

test('npz: a compressed array longer than a block, and what is no numbers is named', () => {
  const checkpoint = open('weights/compressed.npz')
  const long = floatsOf(checkpoint.networks[0]!.read('long'))
  expect(long.length).toBe(60_000)
  expect(long.every((value, i) => value === Math.fround((i % 1000) / 1000))).toBe(true)
  const tree = checkpoint.tree()
  expect(entry(tree, 'not read', 'objects')).toEqual({
    kind: 'value',
    text: 'array of |O, which is not read',
  })
  expect(entry(tree, 'not read', 'texts')).toEqual({
    kind: 'value',
    text: 'array of <U2, which is not read',
  })
  expect(() => open('weights/big-endian.npz')).toThrow(/array "w\.npy" has its numbers in another byte order/)
})

test('npz: damage of the bytes of an array is found by its checksum', () => {
  for (const [name, distance] of [
    ['kinds.npz', 180], // in its elements
    ['compressed.npz', 108], // in the compressed ones
  ] as const) {
    const bytes = read(`weights/${name}`)
    bytes[bytes.indexOf('float64.npy') + distance]! ^= 1
    const [network] = openCheckpoint(bufferSource(bytes, name)).networks
    expect(() => network!.read('float64'), name).toThrow(/array "float64\.npy" is damaged/)
  }
})

test('ONNX: what is beside the weights', () => {
  const checkpoint = open('weights/kinds.onnx')
  expect({ ...checkpoint.metadata }).toEqual({ 'trex.test': 'Grüße' })
  const tree = checkpoint.tree()
  expect(entry(tree, 'opset')).toEqual({ kind: 'value', text: '17' })
  expect(entry(tree, 'nodes')).toEqual({ kind: 'value', text: '2: Identity 1, Relu 1' })
  expect(entry(tree, 'not read', 'outside')).toEqual({ kind: 'value', text: 'weights in another file' })
  expect(entry(tree, 'not read', 'as numbers')).toMatchObject({
    text: expect.stringContaining('not written as plain bytes'),
  })
})

test.each([
  ['', 'is empty'],
  ['hello', 'is no file of weights that is known'],
  ['version https://git-lfs.github.com/spec/v1\noid sha256:00', 'is a pointer of Git LFS'],
  ['<!DOCTYPE html><html>', 'is a page of the web'],
  ['\x1f\x8b\x08', 'is compressed with gzip'],
  ['\x93NUMPY\x01\0', 'is one array without names'],
  ['\x08\x07hello', 'is no ONNX file'],
  ['PK\x05\x06', 'the archive has no end'],
  ['12345678{', 'announces a header of'],
])('%j is an error that says what it is', (text, message) => {
  const run = () => openCheckpoint(bufferSource(Buffer.from(text, 'latin1'), 'x.bin'))
  expect(run).toThrow(CheckpointError)
  expect(run).toThrow(`x.bin: ${message}`)
})

test.each([0x0280, 0x0480, 0x4b50, 0x0708, 0x3c, 0x8b1f, 0x4689])(
  'safetensors whose header has %i bytes',
  (length) => {
    const json = '{"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}'.padEnd(length)
    const size = Buffer.from(BigUint64Array.of(BigInt(length)).buffer)
    const bytes = Buffer.concat([size, Buffer.from(json), Buffer.from([3, 4])])
    const { format, networks } = openCheckpoint(bufferSource(bytes, 'x')) // it begins as a pickle, a zip, an ONNX file, ...
    expect([format, [...networks[0]!.read('w').data]]).toEqual(['safetensors', [3, 4]])
  },
)

test('an array that a small file would fill memory with is refused', () => {
  const bomb = npzBomb(1 << 26)
  expect(bomb.length).toBeLessThan(100_000)
  expect(() => openCheckpoint(bufferSource(bomb, 'bomb.npz'))).toThrow(
    /would grow from \d+ bytes to 67108992/,
  )
})

/** An archive with one array of so many zero bytes. */
function npzBomb(bytes: number): Buffer {
  const head = `\x93NUMPY\x01\0v\0{'descr': '|u1', 'fortran_order': False, 'shape': (${bytes},), }`.padEnd(
    128,
  )
  const content = Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(bytes)])
  const packed = deflateRawSync(content)
  const fields = Buffer.alloc(22)
  fields.writeUInt16LE(20, 0)
  fields.writeUInt16LE(8, 4)
  fields.writeUInt32LE(packed.length, 14)
  fields.writeUInt32LE(content.length, 18)
  const name = Buffer.from('w.npy')
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from([5, 0, 0, 0]), name])
  const central = Buffer.concat([
    Buffer.from('PK\x01\x02\x14\0'),
    fields,
    Buffer.from([5, 0]),
    Buffer.alloc(16),
    name,
  ])
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(local.length + packed.length, 16)
  return Buffer.concat([local, packed, central, end])
}

test('a changed byte gives a checkpoint or an error of ours, never another one', () => {
  const names = ['weights/kinds.npz', 'weights/compressed.npz', 'weights/kinds.onnx', 'weights/exported.onnx']
  const files = names.map((name) => [name, new Uint8Array(read(name))] as const)
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(fc.constantFrom(...files), changes, fc.nat(), ([name, bytes], edits, cut) => {
      const changed = bytes.slice(0, cut % 4 ? bytes.length : cut % bytes.length)
      for (const [at, value] of edits) if (changed.length) changed[at % changed.length] = value
      try {
        const checkpoint = openCheckpoint(bufferSource(changed, name))
        checkpoint.tree()
        for (const network of checkpoint.networks) for (const key of network.tensors.keys()) network.read(key)
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error
      }
    }),
    { numRuns: 2000 },
  )
})
