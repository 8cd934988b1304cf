import { engineInfo, setCudnnBenchmark, setDeterministic, setTf32 } from 'trex-torch'
import { afterEach, describe, expect, test } from 'vitest'
import { TrexError } from '../errors.js'
import { applyPrecision, resolveAuto, resolvePrecision } from './precision.js'

const { cuda, bf16 } = engineInfo()

afterEach(() => {
  for (const set of [setTf32, setDeterministic, setCudnnBenchmark]) set(false)
})

describe('the engine computes as the settings say', () => {
  test.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('tf32 %s, deterministic %s', (tf32, deterministic) => {
    applyPrecision({ tf32, deterministic })
    expect(engineInfo()).toMatchObject({ tf32, deterministic, cudnnBenchmark: !deterministic })
  })
})

test('auto is what the machine is good at', () => {
  const device = cuda ? 'cuda' : 'cpu'
  const precision = cuda || bf16 ? 'bf16' : 'fp32'
  expect(resolveAuto({ device: 'auto', precision: 'auto' })).toEqual({ device, precision })
  expect(resolvePrecision({ device: 'cpu', precision: 'fp32' })).toEqual({ device: 'cpu', dtype: null })
})

test('fp16 is for CUDA alone', () => {
  expect(() => resolveAuto({ device: 'cpu', precision: 'fp16' })).toThrow(TrexError)
  expect(() => resolveAuto({ device: 'cpu', precision: 'fp16' })).toThrow(/fp16, which CPUs do not compute/)
})
