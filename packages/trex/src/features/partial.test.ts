import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { openPartial, type PartialPlan } from './partial.js'

const folder = mkdtempSync(join(tmpdir(), 'trex-partial-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'train.safetensors')
const dir = join(folder, '.train.safetensors.partial')
beforeEach(() => rmSync(dir, { recursive: true, force: true }))

const plan: PartialPlan = {
  identity: {
    model: 'a'.repeat(64),
    data: 'b'.repeat(64),
    transform: {
      ...{ resize: 8, crop: 8, filter: 'bicubic', autoOrient: false },
      ...{ mean: [0, 0, 0], std: [1, 1, 1] },
    },
    precision: 'fp32',
  },
  batchSize: 2,
  dim: 3,
  computed: 'libtorch, cpu',
}
const left = { index: 3, path: 'x.jpg', reason: 'no image' }

function begin(): void {
  using partial = openPartial(file, plan)
  expect(partial.resumedAt).toBe(0)
  partial.append(Float32Array.of(1, 2, 3, 4, 5, 6), 2, [])
  partial.append(Float32Array.of(7, 8, 9), 4, [left])
}

/** The rows of a partial as numbers. */
function numbers(partial: { read(): Iterable<Uint8Array> }): number[] {
  const bytes = Uint8Array.from(Buffer.concat([...partial.read()].map((piece) => Buffer.from(piece))))
  return [...new Float32Array(bytes.buffer)]
}

test('goes on after the rows that were committed; what came after is cut off', () => {
  begin()
  const data = join(dir, 'features.f32')
  writeFileSync(data, Buffer.concat([readFileSync(data), Buffer.from('half a row')])) // killed in a write
  using partial = openPartial(file, plan)
  expect(partial).toMatchObject({ resumedAt: 4, rows: 3, leftOut: [left] })
  partial.append(Float32Array.of(10, 11, 12), 5, [])
  expect(numbers(partial)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  partial.remove()
  expect(existsSync(dir)).toBe(false)
})

test('is for one process at a time', () => {
  using first = openPartial(file, plan)
  expect(() => openPartial(file, plan)).toThrow('is in use by process')
  expect(first.rows).toBe(0)
})

test('is of one extraction', () => {
  begin()
  const identity = { ...plan.identity, precision: 'bf16' as const }
  expect(() => openPartial(file, { ...plan, identity })).toThrow('with another precision')
  expect(() => openPartial(file, { ...plan, batchSize: 4 })).toThrow('batch size (it was 2)')
  using partial = openPartial(file, plan) // the errors left it as it was
  expect(partial.resumedAt).toBe(4)
})

test('damage is an error that names the folder to remove', () => {
  begin()
  truncateSync(join(dir, 'features.f32'), 20)
  expect(() => openPartial(file, plan)).toThrow('has lost what')
  writeFileSync(join(dir, 'progress.json'), '{"plan":')
  expect(() => openPartial(file, plan)).toThrow('progress.json is damaged')
  rmSync(dir, { recursive: true })
  writeFileSync(dir, 'a file in its place')
  expect(() => openPartial(file, plan)).toThrow('cannot be written')
  rmSync(dir)
  mkdirSync(dir)
})
