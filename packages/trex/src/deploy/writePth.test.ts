import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { RawDtype, TensorSource } from 'trex-torch/safetensors'
import { afterAll, describe, expect, test } from 'vitest'
import { pythonWith } from '../../test/support/python.js'
import { bufferSource } from '../checkpoints/byteSource.js'
import { openPth } from '../checkpoints/pth.js'
import { stateDicts } from '../checkpoints/stateDicts.js'
import { readZip } from '../checkpoints/zip.js'
import { TrexError } from '../errors.js'
import { pthChunks, writePth } from './writePth.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-pth-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const BYTES = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 } as const
type Kind = keyof typeof BYTES

/** A tensor of bytes that follow one another; of BOOL 0 and 1. */
function tensor(name: string, dtype: Kind, shape: readonly number[]): TensorSource & { data: Uint8Array } {
  const size = shape.reduce((product, n) => product * n, BYTES[dtype])
  const data = Uint8Array.from({ length: size }, (_, i) => (dtype === 'BOOL' ? i % 2 : (i * 7) % 120))
  return { name, dtype, shape, data }
}

const tensors = [
  ...Object.keys(BYTES).map((dtype) => tensor(`kind.${dtype}`, dtype as Kind, [2, 3])),
  tensor('zero.dims', 'I64', []),
  tensor('empty', 'F32', [0, 3]),
  tensor('names.ü"\\\n.weight', 'F32', [3, 2, 5, 7]),
  tensor('large', 'F32', [300, 301]),
]

/** What PyTorch read: dtype, shape, and the SHA-256 of the elements row by row. */
const SCRIPT = `
import hashlib, json, sys, torch
how = {} if torch.__version__.startswith('1.') else {'weights_only': True}
state = torch.load(sys.argv[1], **how)
def line(t):
    flat = t.reshape(-1)
    raw = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b''
    return [str(t.dtype), list(t.shape), hashlib.sha256(raw).hexdigest(), t.is_contiguous()]
print(json.dumps([type(state).__name__, [[k, line(t)] for k, t in state.items()]]))
`
const DTYPES: Record<Kind, string> = {
  ...{ F64: 'float64', F32: 'float32', F16: 'float16', BF16: 'bfloat16' },
  ...{ I64: 'int64', I32: 'int32', I16: 'int16', I8: 'int8', U8: 'uint8', BOOL: 'bool' },
}

/** Of several versions where there are: of the engine, and of the system. */
const found = [...new Set([pythonWith('torch').python, pythonWith('torch', '/usr/bin/python3').python])]

describe.each(found)('the PyTorch of %s', (python) => {
  test.skipIf(python === null)(
    `reads every tensor as it was written, in their order${python ? '' : pythonWith('torch').why}`,
    () => {
      const file = join(dir, 'all.pth')
      writePth(file, tensors)
      const out = execFileSync(python!, ['-c', SCRIPT, file], { encoding: 'utf8' })
      const expected = tensors.map(({ name, dtype, shape, data }) => [
        name,
        [`torch.${DTYPES[dtype as Kind]}`, shape, createHash('sha256').update(data).digest('hex'), true],
      ])
      expect(JSON.parse(out)).toEqual(['OrderedDict', expected])
    },
    60_000,
  )
})

const bytesOf = (sources: readonly TensorSource[]) => Buffer.concat([...pthChunks(sources)])

test('our reader gives back any tensors, and every member starts at a multiple of 64 bytes', () => {
  const kinds = Object.keys(BYTES) as Kind[]
  const any = fc.record({
    name: fc.string({ unit: 'binary' }),
    dtype: fc.constantFrom(...kinds),
    shape: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }),
  })
  const some = fc.uniqueArray(any, { selector: ({ name }) => name, maxLength: 6, minLength: 1 })
  fc.assert(
    fc.property(some, (list) => {
      const sources = list.map(({ name, dtype, shape }) => tensor(name, dtype, shape))
      const source = bufferSource(bytesOf(sources), 'written')
      for (const { offset } of readZip(source).values()) expect(offset % 64).toBe(0)
      const file = openPth(source)
      const read = [...stateDicts(file.root)[0]!.tensors].map(([name, value]) => ({
        name,
        ...file.read(value),
      }))
      expect(read).toEqual(sources)
    }),
    { numRuns: 200 },
  )
})

test('data that come in pieces give the same bytes, and one piece is in memory at a time', () => {
  const whole = tensor('weight', 'F32', [64, 100])
  let [live, most] = [0, 0]
  function* pieces() {
    for (let at = 0; at < whole.data.length; at += 1000) {
      live++
      most = Math.max(most, live)
      yield whole.data.subarray(at, at + 1000)
      live--
    }
  }
  expect(bytesOf([{ ...whole, data: pieces }]).equals(bytesOf([whole]))).toBe(true)
  expect(most).toBe(1)
})

test('what PyTorch has no storage of, and data of another size, are errors that leave nothing behind', () => {
  const file = join(dir, 'none', 'x.pth')
  expect(() =>
    writePth(file, [{ name: 'a', dtype: 'U16' as RawDtype, shape: [1], data: new Uint8Array(2) }]),
  ).toThrow(TrexError)
  const short = join(dir, 'short.pth')
  const before = readdirSync(dir)
  expect(() => writePth(short, [{ name: 'a', dtype: 'F32', shape: [2], data: new Uint8Array(4) }])).toThrow(
    /a takes 8 bytes, but has 4/,
  )
  expect(readdirSync(dir)).toEqual(before)
  expect(existsSync(short)).toBe(false)
})

test('a file that was there stays when the new one cannot be finished', () => {
  const file = join(dir, 'kept.pth')
  writePth(file, [tensor('a', 'F32', [2])])
  const before = readFileSync(file)
  const failing = () => {
    throw new Error('the disk is gone')
  }
  expect(() => writePth(file, [{ name: 'a', dtype: 'F32', shape: [2], data: failing }])).toThrow('the disk')
  expect(readFileSync(file).equals(before)).toBe(true)
})
