import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { values } from '../test/support/values.js'
import { arange, fromTypedArray, tensor, zeros } from './create.js'
import { type DType, dtypes } from './dtype.js'
import { BatchNorm2d, Conv2d, Linear } from './layers.js'
import { Sequential } from './module.js'
import { openSafetensors, writeSafetensors } from './safetensors.js'
import { loadTensors, saveTensors } from './stateFile.js'

const folder = mkdtempSync(join(tmpdir(), 'stateFile-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = (name: string) => join(folder, name)
const bytes = (x: { toTypedArray(): ArrayBufferView }) => {
  const { buffer, byteOffset, byteLength } = x.toTypedArray()
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
}

describe('saveTensors and loadTensors', () => {
  test('every dtype, bit for bit', () => {
    const noise = Uint8Array.from({ length: 48 }, (_, i) => (i * 151 + 7) & 0xff)
    const made = (Object.keys(dtypes) as DType[]).map((dtype) => {
      const raw = dtype === 'bool' ? noise.map((b) => b & 1) : noise
      const array = new dtypes[dtype].array(raw.slice().buffer)
      return [dtype, fromTypedArray(array, [2, array.length / 2], { dtype })] as const
    })
    saveTensors(path('all'), made)
    const loaded = loadTensors(path('all'))
    expect([...loaded.keys()].sort()).toEqual(Object.keys(dtypes).sort())
    for (const [name, original] of made) {
      const copy = loaded.get(name)!
      expect(copy.dtype).toBe(name)
      expect(copy.shape).toEqual(original.shape)
      expect(bytes(copy).equals(bytes(original)), name).toBe(true)
    }
  })

  test('scalars, empty tensors, views and channels-last', () => {
    const image = arange(0, 24).reshape(1, 2, 3, 4)
    const entries: [string, ReturnType<typeof tensor>][] = [
      ['scalar', tensor(2.5)],
      ['empty', zeros([3, 0])],
      ['transposed', arange(0, 6).reshape(2, 3).t()],
      ['channelsLast', image.to({ memoryFormat: 'channelsLast' })],
    ]
    saveTensors(path('shapes'), entries, { note: 'free text' })
    const loaded = loadTensors(path('shapes'))
    expect(loaded.get('scalar')!.shape).toEqual([])
    expect(loaded.get('scalar')!.item()).toBe(2.5)
    expect(loaded.get('empty')!.shape).toEqual([3, 0])
    expect(values(loaded.get('transposed')!)).toEqual([0, 3, 1, 4, 2, 5])
    expect(values(loaded.get('channelsLast')!)).toEqual(values(image))
    using file = openSafetensors(path('shapes'))
    expect(file.metadata).toEqual({ note: 'free text' })
  })

  test("a model's state dict", () => {
    const make = () => new Sequential(new Conv2d(1, 2, 3), new BatchNorm2d(2), new Linear(4, 2))
    const [saved, restored] = [make(), make()]
    saveTensors(path('model'), saved.stateDict())
    restored.loadStateDict(loadTensors(path('model')))
    for (const [name, value] of restored.stateDict())
      expect(values(value)).toEqual(values(saved.stateDict().get(name)!))
  })

  test('a write that fails leaves the file as it was, and no rubbish', () => {
    saveTensors(path('kept'), [['a', tensor([1])]])
    const disposed = tensor([2])
    void [disposed.shape, disposed.dtype]
    disposed.dispose()
    const listing = readdirSync(folder)
    expect(() => saveTensors(path('kept'), [['a', disposed]])).toThrow(/disposed/)
    expect(values(loadTensors(path('kept')).get('a')!)).toEqual([1])
    expect(readdirSync(folder)).toEqual(listing)
  })

  test('names what it cannot hold', () => {
    writeSafetensors(path('u64'), [{ name: 'x', dtype: 'U64', shape: [1], data: new Uint8Array(8) }])
    expect(() => loadTensors(path('u64'))).toThrow(/u64: x has dtype U64/)
    writeFileSync(path('junk'), 'not a safetensors file')
    expect(() => loadTensors(path('junk'))).toThrow()
    expect(() => loadTensors(path('absent'))).toThrow(/ENOENT/)
  })
})
