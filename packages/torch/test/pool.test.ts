import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { fromTypedArray, full } from '../src/create.js'
import { engineInfo, trimMemory } from '../src/runtime.js'
import type { Tensor } from '../src/tensor/tensor.js'
import { tidy } from '../src/tidy.js'
import { ensureDist } from './support/child.js'
import { codeOf } from './support/values.js'

beforeAll(ensureDist)

const MiB = 2 ** 20
const residentMiB = () => process.memoryUsage.rss() / MiB
const filled = (mebibytes: number, value: number) => full([(mebibytes * MiB) / 4], value).persist()

/** First and last element: neighbours in memory would overwrite these first. */
const ends = (tensor: Tensor) => [tensor.narrow(0, 0, 1).item(), tensor.narrow(0, tensor.numel - 1, 1).item()]

describe.skipIf(!engineInfo().pooled)('the pool of large tensors', () => {
  test('no two live tensors share memory, in whatever order they come and go', () => {
    const kibibytes = fc.oneof(fc.integer({ min: 16, max: 300 }), fc.integer({ min: 300, max: 24 * 1024 }))
    const action = fc.record({ kibibytes, drop: fc.nat({ max: 9 }) })
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const live: { tensor: Tensor; value: number }[] = []
        for (const [value, { kibibytes, drop }] of actions.entries()) {
          live.push({ tensor: filled(kibibytes / 1024, value), value })
          if (drop < live.length) live.splice(drop, 1)[0]!.tensor.dispose()
          tidy(() => {
            for (const { tensor, value } of live) expect(ends(tensor)).toEqual([value, value])
          })
        }
        for (const { tensor } of live) tensor.dispose()
      }),
      { numRuns: 30 },
    )
  })

  test('what is freed is used again, and neighbours are joined', () => {
    const round = () => {
      for (const tensor of Array.from({ length: 16 }, (_, i) => filled(8, i))) tensor.dispose()
      filled(128, 1).dispose() // fits where the sixteen were
    }
    round()
    const before = residentMiB()
    for (let i = 0; i < 20; i++) round()
    expect(residentMiB() - before).toBeLessThan(16)
  })

  test('trimMemory gives free memory back, and leaves live tensors alone', () => {
    const kept = filled(64, 7)
    filled(256, 1).dispose()
    const before = residentMiB()
    trimMemory()
    expect(before - residentMiB()).toBeGreaterThan(200)
    expect(tidy(() => kept.eq(7).all().item())).toBe(1)
    kept.dispose()
  })

  test('more than the machine has is an error', () => {
    expect(() => full([2 ** 48], 0)).toThrow(/out of memory: 1125899906842624 bytes/)
    expect(() => full([2 ** 48], 0)).toThrow(RangeError)
    expect(codeOf(() => full([2 ** 48], 0))).toBe('ERR_MEMORY')
    expect(
      codeOf(() =>
        fromTypedArray(new Float32Array(1), [1])
          .expand(2 ** 48)
          .contiguous(),
      ),
    ).toBe('ERR_MEMORY')
  })

  test('so it is where the system refuses the range, and libtorch allocates', () => {
    const script = `import { zeros } from '${new URL('../dist/index.js', import.meta.url)}'
      try { zeros([2 ** 48]) } catch (error) { console.log(error.code, error.message) }`
    const limited = 'ulimit -v 12000000 && exec "$0" --input-type=module -e "$1"'
    const { stdout } = spawnSync('bash', ['-c', limited, process.execPath, script], { encoding: 'utf8' })
    expect(stdout).toMatch(/^ERR_MEMORY .* 1125899906842624 bytes/)
  })
})
