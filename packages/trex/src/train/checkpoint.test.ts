import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TensorSource, writeSafetensors } from 'trex-torch/safetensors'
import { afterAll, expect, test } from 'vitest'
import { TrexError } from '../errors.js'
import { loadCheckpoint, saveCheckpoint } from './checkpoint.js'

const folder = mkdtempSync(join(tmpdir(), 'checkpoint-'))
afterAll(() => rmSync(folder, { recursive: true }))

const bytes = (count: number, start = 1) => Uint8Array.from({ length: count }, (_, i) => start + 7 * i)
const tensors: TensorSource[] = [
  { name: 'model.weight', dtype: 'F32', shape: [2, 3], data: bytes(24) },
  { name: 'bank.labels', dtype: 'I64', shape: [2], data: () => bytes(16) },
  { name: 'rng', dtype: 'U8', shape: [5], data: bytes(5) },
]
const state = { epoch: 3, step: 1200, best: null, rates: [0.1, 1e-6], name: 'émile' }

function errorOf(act: () => unknown): TrexError {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(TrexError)
    return error as TrexError
  }
  throw new Error('nothing was thrown')
}

test('tensors and state come back; a second save replaces the first', () => {
  const path = join(folder, 'last.safetensors')
  saveCheckpoint(path, { tensors: [], state: 'first' })
  expect(loadCheckpoint(path).state).toBe('first')
  saveCheckpoint(path, { tensors, state })
  const loaded = loadCheckpoint(path)
  expect(loaded.state).toEqual(state)
  expect([...loaded.tensors.entries.keys()]).toEqual(['model.weight', 'bank.labels', 'rng'])
  expect(loaded.tensors.read('model.weight')).toEqual({ dtype: 'F32', shape: [2, 3], data: bytes(24) })
  expect(loaded.tensors.read('bank.labels').data).toEqual(bytes(16))
  loaded.tensors.close()
  expect(readdirSync(folder)).toEqual(['last.safetensors'])
})

test('the same content gives the same bytes', () => {
  const [a, b] = [join(folder, 'a'), join(folder, 'b')]
  for (const path of [a, b]) saveCheckpoint(path, { tensors, state })
  expect(readFileSync(a).equals(readFileSync(b))).toBe(true)
})

test('every flipped byte and every truncation is found', () => {
  const path = join(folder, 'damaged.safetensors')
  saveCheckpoint(path, { tensors, state })
  const original = readFileSync(path)
  for (let at = 0; at < original.length; at++) {
    const changed = Uint8Array.from(original)
    changed[at] = changed[at]! ^ (1 << (at % 8))
    writeFileSync(path, changed)
    errorOf(() => loadCheckpoint(path))
    writeFileSync(path, original.subarray(0, at))
    expect(errorOf(() => loadCheckpoint(path)).message).toContain(`${path} is damaged`)
  }
  writeFileSync(path, Buffer.concat([original, Buffer.from([0])]))
  errorOf(() => loadCheckpoint(path))
  writeFileSync(path, original)
  loadCheckpoint(path).tensors.close()
})

test('other files are named for what they are', () => {
  const path = join(folder, 'weights.safetensors')
  writeSafetensors(path, tensors)
  expect(errorOf(() => loadCheckpoint(path)).message).toContain('no checkpoint of a run')
  expect(errorOf(() => loadCheckpoint(join(folder, 'none'))).message).toContain('There is no checkpoint')
  expect(errorOf(() => saveCheckpoint(join(folder, 'none', 'x'), { tensors, state })).hint).toContain(
    'Create the folder',
  )
})

test('an error half way leaves the previous checkpoint and no temporary file', () => {
  const path = join(folder, 'kept', 'last.safetensors')
  mkdirSync(join(folder, 'kept'))
  saveCheckpoint(path, { tensors, state })
  const stale = join(folder, 'kept', '.last.safetensors.0123456789ab.tmp')
  writeFileSync(stale, 'left by a killed process')
  const failing: TensorSource = {
    name: 'x',
    dtype: 'U8',
    shape: [1],
    data: () => {
      throw new Error('engine failed')
    },
  }
  expect(() => saveCheckpoint(path, { tensors: [...tensors, failing], state: 'new' })).toThrow(
    'engine failed',
  )
  const wrongSize: TensorSource = { name: 'x', dtype: 'F32', shape: [1], data: bytes(3) }
  const error = errorOf(() => saveCheckpoint(path, { tensors: [wrongSize], state }))
  expect(error.message).toContain('tensor "x"')
  expect(readdirSync(join(folder, 'kept'))).toEqual(['last.safetensors'])
  expect(loadCheckpoint(path).state).toEqual(state)
})

test.each([
  ['state.loss', { loss: Number.NaN }],
  ['state.rates[1]', { rates: [1, Number.POSITIVE_INFINITY] }],
  ['state.when', { when: new Date() }],
  ['state.x', { x: undefined }],
])('%s that JSON cannot hold is an error', (where, wrong) => {
  const error = errorOf(() => saveCheckpoint(join(folder, 'x'), { tensors, state: wrong as never }))
  expect(error.message).toContain(`${where} is`)
})

test('a full disk is an error that says so; the previous checkpoint stays', (context) => {
  const disk = join(folder, 'disk')
  mkdirSync(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk], { stdio: 'pipe' })
  } catch (error) {
    return context.skip(`a tiny file system cannot be mounted here: ${(error as Error).message}`)
  }
  try {
    const path = join(disk, 'last.safetensors')
    saveCheckpoint(path, { tensors, state })
    const large: TensorSource = { name: 'x', dtype: 'U8', shape: [1 << 20], data: new Uint8Array(1 << 20) }
    const error = errorOf(() => saveCheckpoint(path, { tensors: [large], state }))
    expect(error.message).toContain(path)
    expect(error.message).toContain('ENOSPC')
    expect(error.message).toContain('The last complete checkpoint is unharmed')
    expect(error.hint).toContain('Free space')
    expect(readdirSync(disk)).toEqual(['last.safetensors'])
    const kept = loadCheckpoint(path)
    expect(kept.state).toEqual(state)
    kept.tensors.close()
  } finally {
    execFileSync('umount', [disk])
  }
})
