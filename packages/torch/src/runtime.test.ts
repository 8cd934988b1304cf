import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ensureDist, runScript } from '../test/support/child.js'
import { codeOf } from '../test/support/values.js'
import { ones, tensor, zeros } from './create.js'
import { inPlaceOp } from './dispatch.js'
import { EngineError } from './engineError.js'
import { engineRecord, native } from './native.js'
import {
  bestDevice,
  engineInfo,
  getNumThreads,
  isCudaAvailable,
  lowerThreadPool,
  setCudnnBenchmark,
  setDeterministic,
  setNumThreads,
  setTf32,
  synchronize,
} from './runtime.js'

describe('the engine', () => {
  test('says what it is', () => {
    const info = engineInfo()
    expect(info.version).toMatch(/^\d+\.\d+\.\d+/)
    expect(info.record!.version.split('+')[0]).toBe(info.version.split('+')[0])
    expect(info.threads).toBe(getNumThreads())
    expect(bestDevice()).toBe(isCudaAvailable() ? 'cuda' : 'cpu')
    expect(info.cudaDevices > 0).toBe(info.cuda)
    expect(info.mallocConfigured).toBe(process.platform === 'linux')
    expect(info.pooled).toBe(process.platform === 'linux')
  })

  test('threads can be set, within reason', () => {
    const before = getNumThreads()
    setNumThreads(1)
    expect(getNumThreads()).toBe(1)
    setNumThreads(before)
    for (const count of [0, -1, 1e9, 1.5, Number.NaN])
      expect(codeOf(() => setNumThreads(count))).toBe('ERR_ARGUMENT')
    expect(getNumThreads()).toBe(before)
  })

  test('switches of precision and determinism can be read back', () => {
    const switches = () => {
      const { tf32, cudnnBenchmark, deterministic } = engineInfo()
      return { tf32, cudnnBenchmark, deterministic }
    }
    const off = { tf32: false, cudnnBenchmark: false, deterministic: false }
    for (const [set, name] of [
      [setTf32, 'tf32'],
      [setCudnnBenchmark, 'cudnnBenchmark'],
      [setDeterministic, 'deterministic'],
    ] as const) {
      set(false)
      expect(switches()).toEqual(off)
      set(true)
      expect(switches()).toEqual({ ...off, [name]: true })
      expect(codeOf(() => set('yes' as never))).toBe('ERR_ARGUMENT')
      expect(switches()).toEqual({ ...off, [name]: true })
      set(false)
    }
  })

  test('an operator without a deterministic kernel is an error, where that is asked for', () => {
    const put = inPlaceOp('aten::put_')
    const twice = tensor([0, 0], { dtype: 'int64' })
    setDeterministic(true)
    try {
      expect(() => put(zeros([2]), twice, ones([2]))).toThrow(
        /put_ does not have a deterministic implementation/,
      )
      expect(codeOf(() => put(zeros([2]), twice, ones([2])))).toBe('ERR_TORCH')
      expect(process.env.CUBLAS_WORKSPACE_CONFIG).toBeTruthy() // what cuBLAS needs for it
    } finally {
      setDeterministic(false)
    }
    expect(
      put(zeros([2]), twice, ones([2]))
        .sum()
        .item(),
    ).toBe(1)
  })

  test('synchronize wants a device', () => {
    if (!isCudaAvailable()) expect(codeOf(() => synchronize())).toBe('ERR_DEVICE')
  })

  test.skipIf(isCudaAvailable())('CUDA where there is none is ERR_DEVICE', () => {
    expect(codeOf(() => zeros([2], { device: 'cuda' }))).toBe('ERR_DEVICE')
    expect(codeOf(() => zeros([2]).to('cuda:1'))).toBe('ERR_DEVICE')
    expect(codeOf(() => zeros([2]).to('nowhere' as never))).toBe('ERR_TORCH')
  })
})

const linux = process.platform === 'linux'
describe.skipIf(!linux)(
  `the thread pool${linux ? '' : ' (skipped: niceness is per thread on Linux only)'}`,
  () => {
    beforeAll(ensureDist)

    test.each([
      [{}, 4],
      [{ UV_THREADPOOL_SIZE: '2' }, 2],
    ])('gives way to the other threads, each of it: %j', (env, threads) => {
      const { status, lines, stderr } = runScript('test/threadPool.mjs', { env })
      expect([status, stderr]).toEqual([0, ''])
      expect(lines).toEqual([String(threads), '0'])
    })

    test('by 0 to 19', () => {
      for (const nice of [-1, 20, 1.5, '7' as never])
        expect(codeOf(() => lowerThreadPool(nice))).toBe('ERR_ARGUMENT')
    })
  },
)

describe('the record of the addon', () => {
  beforeAll(ensureDist)
  const chosen = process.env.TREX_ENGINE
  afterEach(() => {
    if (chosen === undefined) delete process.env.TREX_ENGINE
    else process.env.TREX_ENGINE = chosen
  })

  test('is the one that TREX_ENGINE names', () => {
    expect(engineRecord()!.addon).toMatch(/\.node$/)
    process.env.TREX_ENGINE = '/nowhere/engine.json'
    expect(() => engineRecord()).toThrow(EngineError)
    expect(() => engineRecord()).toThrow(/TREX_ENGINE names \/nowhere\/engine\.json/)
  })

  test('the addon is loaded once', () => {
    expect(native()).toBe(native())
  })

  test('an addon that does not load is an EngineError that says what to do', () => {
    const output = runScript('test/support/brokenEngine.mjs').lines.join('\n')
    expect(output).toMatch(/EngineError: the addon for libtorch 9\.9\.9 .* does not load/)
    expect(output).toMatch(/npm run build:engine/)
  })
})
