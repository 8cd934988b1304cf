import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ensureDist, runScript } from '../test/support/child.js'
import { codeOf } from '../test/support/values.js'
import { zeros } from './create.js'
import { EngineError } from './engineError.js'
import { engineRecord, native } from './native.js'
import {
  bestDevice,
  engineInfo,
  getNumThreads,
  isCudaAvailable,
  setNumThreads,
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

  test('synchronize wants a device', () => {
    if (!isCudaAvailable()) expect(codeOf(() => synchronize())).toBe('ERR_DEVICE')
  })

  test.skipIf(isCudaAvailable())('CUDA where there is none is ERR_DEVICE', () => {
    expect(codeOf(() => zeros([2], { device: 'cuda' }))).toBe('ERR_DEVICE')
    expect(codeOf(() => zeros([2]).to('cuda:1'))).toBe('ERR_DEVICE')
    expect(codeOf(() => zeros([2]).to('nowhere' as never))).toBe('ERR_TORCH')
  })
})

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
