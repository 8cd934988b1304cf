import { fromTypedArray, type Tensor, tidy } from 'trex-torch'
import { expect, test } from 'vitest'
import { cosineLogits } from '../src/method/cosineSoftmax.js'
import { MemoryBank } from '../src/method/memoryBank.js'
import { expectCloseToMax } from './support/compare.js'
import { openGolden } from './support/golden.js'
import { precisions, valuesOf } from './support/model.js'

const golden = openGolden('d_memory')

test.each(precisions)('the memory bank over nine batches, in %s', (tag, dtype) => {
  const floats = (key: string): Tensor => fromTypedArray(golden.f32(key), golden.shape(key), { dtype })
  const integers = (key: string): Tensor => fromTypedArray(golden.i64(key), golden.shape(key))
  const bank = new MemoryBank(20, 8, 6).to({ dtype })
  tidy(() =>
    bank.loadStateDict(
      new Map([
        ['features', floats('s0.features')],
        ['labels', integers('s0.labels')],
      ]),
    ),
  )
  const temperature = golden.f64('tau')[0]!
  for (const [t, pointer] of golden.json<number[]>('ptr_after').entries())
    tidy(() => {
      if (t > 0) bank.enqueue(floats(`u${t}.features`), integers(`u${t}.labels`))
      expect(bank.pointer).toBe(pointer)
      expect(BigInt64Array.of(BigInt(bank.pointer))).toEqual(golden.i64(`s${t}.ptr`))
      expect(bank.labels.toTypedArray()).toEqual(golden.i64(`s${t}.labels`))
      expect(valuesOf(bank.features)).toEqual(golden.f64(`s${t}.features`))

      const prototypes = bank.prototypes()
      const logits = cosineLogits(floats('query'), prototypes, temperature)
      expectCloseToMax(
        `memory ${tag}`,
        `prototypes s${t}`,
        valuesOf(prototypes),
        golden.f64(`s${t}.class_weights`),
        1e-6,
        1,
      )
      expectCloseToMax(`memory ${tag}`, `logits s${t}`, valuesOf(logits), golden.f64(`s${t}.logits`), 1e-6)
      if (t === 0) {
        // Class 4 is v and -v, class 5 has no row.
        const rows = valuesOf(prototypes.narrow(0, 4, 2))
        expect(rows).toEqual(new Float64Array(16))
        expect(valuesOf(logits.narrow(1, 4, 2).contiguous()).every((logit) => logit === 0)).toBe(true)
      }
    })
})
