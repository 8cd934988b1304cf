import { existsSync, readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { typedArrayOf } from 'trex-torch/safetensors'
import { describe, expect, test } from 'vitest'
import { bufferSource } from './byteSource.js'
import { CheckpointError } from './checkpointError.js'
import { openFileSource } from './fileSource.js'
import { type PickleGlobal, PickleObject, PickleTuple, type PickleValue } from './pickleValues.js'
import { openPth } from './pth.js'
import { PthTensor } from './pthTensor.js'
import { type NamedTensors, stateDicts } from './stateDicts.js'

// pthFixtures.py wrote the files with PyTorch 2.13 and 1.13, and with plain Python the hostile ones.

const folder = new URL('../../test/golden/pth/', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, folder))
const open = (name: string) => openPth(bufferSource(read(name), name))

interface Expected {
  dtype: string
  shape: number[]
  values: number[]
}
const expected = JSON.parse(read('expected.json').toString()) as Record<string, Record<string, Expected>>

const dtypes: Record<string, string> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
}

/** The value of 16 bits as IEEE half or bfloat16. */
function half(bits: number, dtype: string): number {
  if (dtype === 'BF16') return new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!
  const [sign, exponent, mantissa] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + mantissa / 1024) : 2 ** -24 * mantissa)
}

describe.each(Object.entries(expected))('%s', (name, tensors) => {
  test('every tensor has its dtype, shape and values', () => {
    const file = open(name)
    const found = stateDicts(file.root)[0]!.tensors
    expect([...found.keys()]).toEqual(Object.keys(tensors))
    for (const [key, { dtype, shape, values }] of Object.entries(tensors)) {
      const raw = file.read(found.get(key)!)
      expect([raw.dtype, raw.shape], key).toEqual([dtypes[dtype], shape])
      const array = Array.from(typedArrayOf(raw) as ArrayLike<number | bigint>, Number)
      const numbers = dtype.endsWith('float16') ? array.map((bits) => half(bits, raw.dtype)) : array
      expect(numbers, key).toEqual(values)
    }
  })
})

test.each(Object.keys(expected).filter((name) => name.startsWith('checkpoint')))(
  '%s: what is no tensor is there as plain values, or inert',
  (name) => {
    const { root } = open(name)
    const get = (key: string) => (root as Map<PickleValue, PickleValue>).get(key)
    expect([get('epoch'), get('big'), get('text')]).toEqual([3, 2n ** 70n, 'Grüße \u{1f600}'])
    const flags = get('flags') as PickleTuple
    expect(flags.items).toEqual([true, null, 1.5, [1, 2], new Map([['a', -1]])])
    const counter = get('args') as PickleObject
    expect((counter.callable as PickleGlobal).path).toBe('collections.Counter')
    expect((counter.args as PickleTuple).items).toEqual([
      new Map([
        ['a', 2],
        ['b', 1],
      ]),
    ])
    expect(((get('device') as PickleObject).callable as PickleGlobal).path).toBe('torch.device')
    const state = (get('optimizer') as Map<PickleValue, Map<PickleValue, Map<PickleValue, PickleValue>>>).get(
      'state',
    )!
    const buffer = state.get(0)!.get('momentum_buffer')
    expect(buffer).toBeInstanceOf(PthTensor)
    expect((buffer as PthTensor).shape).toEqual([4, 3, 3, 3])
    expect(stateDicts(root).map(({ path }) => path)).toEqual(['state_dict'])
  },
)

test('tensors of one storage share it', () => {
  const views = stateDicts(open('views-zip-2.13.pth').root)[0]!.tensors
  expect(views.get('same storage')!.storage.key).toBe(views.get('every other')!.storage.key)
  expect([...views.get('channels last')!.strides]).toEqual([36, 1, 12, 3])
})

test('a name that would take over a terminal is quoted', () => {
  const bytes = read('hostile-short-storage.pth')
  const at = bytes.indexOf('X\x01\0\0\x000') + 5 // the key of the storage
  bytes[at] = 0x1b
  expect(() => openPth(bufferSource(bytes, 'x.pth'))).toThrow(/there is no storage "\\u001b"$/)
})

test('a dict that is under several keys is found once', () => {
  const [{ tensors }] = stateDicts(open('tensor-before-0.4.pth').root) as [NamedTensors]
  const shared = new Map<PickleValue, PickleValue>(tensors)
  const model = new Map<PickleValue, PickleValue>([
    ['teacher', shared],
    ['student', shared],
  ])
  model.set('model', model)
  expect(stateDicts(model).map(({ path }) => path)).toEqual(['teacher'])
})

test('a tensor as PyTorch named it before 0.4', () => {
  const file = open('tensor-before-0.4.pth')
  const raw = file.read(stateDicts(file.root)[0]!.tensors.get('w')!)
  expect([...(typedArrayOf(raw) as Float32Array)]).toEqual([2, 3, 4])
})

test('a file is read from the disk', () => {
  using source = openFileSource(new URL('views-zip-1.13.pth', folder).pathname)
  const file = openPth(source)
  const row = file.read(stateDicts(file.root)[0]!.tensors.get('row')!)
  expect([...(typedArrayOf(row) as Float32Array)]).toEqual(
    Array.from({ length: 12 }, (_, i) => (12 + i) / 8 - 1),
  )
  expect(() => openFileSource(folder.pathname)).toThrow(/is a folder/)
  expect(() => openFileSource('/dev/null')).toThrow(/is no file/)
  expect(() => openFileSource('/nowhere/x.pth')).toThrow(/cannot be opened: ENOENT/)
})

describe('hostile files', () => {
  test.each([
    ['outside', /reaches to element 4 of a storage of 4/],
    ['negative', /strides or an offset that are no counts/],
    ['overflow', /no counts/],
    ['repeated', /a tensor of 4 stored elements has \[1099511627776\]/],
    ['short-storage', /storage "0" has 16 bytes, not 400 elements of F32/],
    ['no-storage', /there is no storage "\.\.\/\.\.\/etc\/passwd"/],
    ['big-endian', /another byte order/],
    ['itself', /a value holds itself/],
    ['deep', /nested more than 200 deep/],
    ['memo', /memo 7 is empty/],
    ['underflow', /the stack is empty/],
    ['mark', /there is no mark/],
    ['unfinished', /cut short/],
    ['long-text', /cut short/],
    ['extension', /opcode 0x82 is not one/],
    ['instance', /opcode 0x69 is not one/],
    ['compressed', /"a\/data\.pkl" is compressed/],
    ['twice', /2 files data\.pkl/],
    ['truncated', /no end: the file is cut short/],
    ['legacy-big-endian', /another byte order/],
    ['plain-pickle', /not one of torch\.save/],
  ])('%s is an error that names the file', (name, message) => {
    const file = `hostile-${name}.pth`
    expect(() => open(file)).toThrow(CheckpointError)
    expect(() => open(file)).toThrow(message)
    expect(() => open(file)).toThrow(new RegExp(`^${file}: `))
  })

  test.each(['system', 'eval'])('%s: a call is a record, and nothing is called', (name) => {
    const { root } = open(`hostile-${name}.pth`)
    const { callable, args } = (root as Map<string, PickleObject>).get('w')!
    expect((callable as PickleGlobal).path).toMatch(/^(posix\.system|builtins\.eval)$/)
    expect(args).toBeInstanceOf(PickleTuple)
    expect(existsSync('PWNED')).toBe(false)
    expect(stateDicts(root)).toEqual([])
  })

  test('one list at 2^60 places, and numbers that are not read, take no time', () => {
    expect(open('hostile-laughs.pth').root).toBeInstanceOf(PickleTuple)
    const { root } = open('hostile-complex.pth')
    expect((root as Map<string, PickleValue>).get('w')).toBeInstanceOf(PickleObject)
  })

  test('every shorter file is an error', () => {
    const names = ['kinds-zip-2.13.pth', 'kinds-legacy-2.13.pth']
    for (const name of names) {
      const whole = read(name)
      for (let length = 0; length < whole.length; length += 7)
        expect(() => openPth(bufferSource(whole.subarray(0, length), name)), `${length} bytes`).toThrow(
          CheckpointError,
        )
    }
  })

  test('a changed byte gives values or an error of ours, never another one', () => {
    const names = readdirSync(folder).filter((name) => /^(views|checkpoint)-.*\.pth$/.test(name))
    const files = names.map((name) => [name, new Uint8Array(read(name))] as const)
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        ([name, bytes], changes) => {
          const changed = bytes.slice()
          for (const [at, value] of changes) changed[at % changed.length] = value
          try {
            const file = openPth(bufferSource(changed, name))
            for (const { tensors } of stateDicts(file.root))
              for (const tensor of tensors.values()) file.read(tensor)
          } catch (error) {
            if (!(error instanceof CheckpointError)) throw error
          }
        },
      ),
      { numRuns: 3000 },
    )
  })
})
