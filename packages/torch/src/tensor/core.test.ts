import { describe, expect, test } from 'vitest'
import { codeOf, values } from '../../test/support/values.js'
import { arange, fromTypedArray, tensor, zeros } from '../create.js'
import { inPlaceOp, tensorOp } from '../dispatch.js'
import { type DType, dtypes, type TypedArray } from '../dtype.js'

// Extreme bit patterns of every dtype: what goes in must come out.
const samples: Record<DType, TypedArray> = {
  uint8: Uint8Array.of(0, 1, 254, 255),
  int8: Int8Array.of(-128, -1, 0, 127),
  int16: Int16Array.of(-32768, -1, 0, 32767),
  int32: Int32Array.of(-(2 ** 31), -1, 0, 2 ** 31 - 1),
  int64: BigInt64Array.of(-(2n ** 63n), -1n, 2n ** 53n + 1n, 2n ** 63n - 1n),
  float16: Uint16Array.of(0x3c00, 0x8000, 0x7c00, 0x0001),
  float32: Float32Array.of(1.5, -0, Infinity, 2 ** -149),
  float64: Float64Array.of(Math.PI, -0, Infinity, 2 ** -1074),
  bool: Uint8Array.of(0, 1, 1, 0),
  bfloat16: Uint16Array.of(0x3f80, 0x8000, 0x7f80, 0x0001),
}
const all = Object.entries(samples) as [DType, TypedArray][]
const bytesOf = (array: ArrayBufferView) => Buffer.from(array.buffer, array.byteOffset, array.byteLength)

describe('typed arrays of every dtype', () => {
  test.each(all)('%s round trip', (dtype, data) => {
    const x = fromTypedArray(data, [2, 2], { dtype })
    expect(x.dtype).toBe(dtype)
    const out = x.toTypedArray()
    expect(out.constructor).toBe(dtypes[dtype].array)
    expect(bytesOf(out).equals(bytesOf(data))).toBe(true)
    const moved = x.moveToTypedArray()
    expect(x.isDisposed).toBe(true)
    expect(moved.constructor).toBe(dtypes[dtype].array)
    expect(bytesOf(moved).equals(bytesOf(data))).toBe(true)
    const again = zeros([4], { dtype }).setData(data)
    expect(bytesOf(again.toTypedArray()).equals(bytesOf(data))).toBe(true)
  })

  test.each(all)('%s shared with JS', (dtype, data) => {
    const buffer = new SharedArrayBuffer(data.byteLength)
    const view = new dtypes[dtype].array(buffer)
    const x = fromTypedArray(view, [4], { dtype, share: true })
    new Uint8Array(buffer).set(bytesOf(data))
    expect(bytesOf(x.toTypedArray()).equals(bytesOf(data))).toBe(true)
    x.zero_()
    expect(Array.from(view, Number)).toEqual([0, 0, 0, 0])
  })

  test('item of each kind', () => {
    expect(tensor(7, { dtype: 'uint8' }).item()).toBe(7)
    expect(tensor([[true]], { dtype: 'bool' }).item()).toBe(1)
    expect(tensor(0.5, { dtype: 'bfloat16' }).item()).toBe(0.5)
    expect(fromTypedArray(BigInt64Array.of(2n ** 62n), []).item()).toBe(2n ** 62n)
    expect(codeOf(() => tensor([1, 2]).item())).toBe('ERR_ARGUMENT')
  })
})

describe('reading and writing', () => {
  test('reads views row by row', () => {
    expect(values(arange(0, 6).reshape(2, 3).t())).toEqual([0, 3, 1, 4, 2, 5])
    expect(values(tensor([1]).expand(3))).toEqual([1, 1, 1])
    expect([...tensor([1.9, -1]).to('int8').toFloat32Array()]).toEqual([1, -1])
  })

  test('setData writes through views and into channels-last', () => {
    const x = zeros([2, 2])
    x.t().setData(Float32Array.of(1, 2, 3, 4))
    expect(values(x)).toEqual([1, 3, 2, 4])
    const image = zeros([1, 2, 1, 2])
      .contiguous('channelsLast')
      .setData(Float32Array.of(1, 2, 3, 4))
    expect(values(image)).toEqual([1, 2, 3, 4])
    expect(codeOf(() => x.setData(new Float32Array(3)))).toBe('ERR_ARGUMENT')
  })
})

describe('sharing', () => {
  test('is refused for an ArrayBuffer', () => {
    expect(() => fromTypedArray(new Float32Array(2), [2], { share: true })).toThrow(/SharedArrayBuffer/)
    expect(codeOf(() => fromTypedArray(new Float32Array(2), [2], { share: true }))).toBe('ERR_ARGUMENT')
  })

  test('is refused where a copy would be needed', () => {
    const shared = new Float32Array(new SharedArrayBuffer(8))
    expect(() => fromTypedArray(shared, [2], { share: true, dtype: 'float64' })).toThrow(
      /Float32Array cannot be shared as float64/,
    )
    expect(() => fromTypedArray(shared, [2], { share: true, device: 'cuda' })).toThrow(TypeError)
  })

  test('respects the offset of the view', () => {
    const bytes = Uint8Array.from({ length: 12 }, (_, i) => i)
    const shared = new Uint8Array(new SharedArrayBuffer(12))
    shared.set(bytes)
    const x = fromTypedArray(shared.subarray(1, 9), [8], { share: true })
    expect(values(x)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    x.fill_(0)
    expect([...shared]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 10, 11])
  })

  test('a shared tensor is not resized past its buffer', () => {
    const resize_ = inPlaceOp('aten::resize_')
    const x = fromTypedArray(new Float32Array(new SharedArrayBuffer(16)), [4], { share: true })
    expect(codeOf(() => resize_(x, [1000]))).toBe('ERR_TORCH')
    expect(values(x.add(1))).toEqual([1, 1, 1, 1])
  })
})

describe('moveToTypedArray', () => {
  test('needs the only reference to the memory', () => {
    const x = arange(0, 4)
    const view = x.reshape(2, 2)
    expect(codeOf(() => x.moveToTypedArray())).toBe('ERR_ARGUMENT')
    expect(values(x)).toEqual([0, 1, 2, 3])
    view.dispose()
    expect([...x.moveToTypedArray()]).toEqual([0, 1, 2, 3])
    expect(codeOf(() => x.sum())).toBe('ERR_DISPOSED')
  })

  test('is refused for transposed, differentiable and graph-held tensors', () => {
    const transposed = zeros([2, 3]).t()
    expect(codeOf(() => transposed.moveToTypedArray())).toBe('ERR_ARGUMENT')
    const leaf = zeros([2], { requiresGrad: true })
    expect(codeOf(() => leaf.moveToTypedArray())).toBe('ERR_ARGUMENT')
    const saved = tensor([3])
    const product = leaf.mul(saved) // the graph holds `saved` for backward
    expect(codeOf(() => saved.moveToTypedArray())).toBe('ERR_ARGUMENT')
    product.dispose()
    expect([...saved.moveToTypedArray()]).toEqual([3])
  })

  test('is refused while a sign or conjugation is only noted, and copies resolve it', () => {
    const [negative, pair] = ['aten::_neg_view', 'aten::view_as_complex'].map((name) => tensorOp(name)) as [
      ReturnType<typeof tensorOp>,
      ReturnType<typeof tensorOp>,
    ]
    const x = negative(tensor([1, 2]))
    expect(codeOf(() => x.moveToTypedArray())).toBe('ERR_ARGUMENT')
    expect(values(x)).toEqual([-1, -2])
    const conjugate = tensorOp('aten::_conj')(pair(tensor([[1, 2]])))
    expect(values(tensorOp('aten::imag')(conjugate))).toEqual([-2])
  })

  test('gives an array that can be written, and is not transferred to other threads', () => {
    const array = zeros([3]).moveToTypedArray() as Float32Array
    array[1] = 4
    try {
      structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] }) // Node 20 copies, Node 22 throws
    } catch (error) {
      expect((error as Error).name).toBe('DataCloneError')
    }
    expect([...array]).toEqual([0, 4, 0])
    expect([...zeros([0]).moveToTypedArray()]).toEqual([])
  })
})

describe('dispose', () => {
  test('ends a tensor once; metadata that was read stays, everything else throws ERR_DISPOSED', () => {
    const x = tensor([1, 2])
    expect(x.shape).toEqual([2])
    x.dispose()
    x.dispose()
    expect(x.isDisposed).toBe(true)
    expect(x.shape).toEqual([2])
    expect(`${x}`).toBe('Tensor(disposed)')
    const uses = [
      () => x.add(1),
      () => tensor([1]).add(x),
      () => x.item(),
      () => x.toTypedArray(),
      () => x.device,
    ]
    for (const use of uses) expect(codeOf(use)).toBe('ERR_DISPOSED')
    expect(codeOf(() => x.moveToTypedArray())).toBe('ERR_DISPOSED')
  })
})
