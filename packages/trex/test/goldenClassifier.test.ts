import { F, fromTypedArray, type Tensor, tidy } from 'trex-torch'
import { describe, expect, test } from 'vitest'
import { LearnedPrototypes } from '../src/method/prototypes.js'
import { countTopK } from '../src/train/accuracy.js'
import { expectClose, expectCloseToMax } from './support/compare.js'
import { openGolden } from './support/golden.js'
import { gradientOf, precisions, valuesOf } from './support/model.js'

const golden = openGolden('c_classifier')

describe.each(precisions)('%s', (tag, dtype) => {
  const tolerance = tag === 'f64' ? 1e-10 : 1e-5
  const tensor = (key: string, requiresGrad = false): Tensor =>
    fromTypedArray(golden.f32(key), golden.shape(key), { dtype, requiresGrad })

  test.each([0.1, 1, 0, -1])('learned prototypes, temperature %d', (temperature) => {
    tidy(() => {
      const prototypes = new LearnedPrototypes(24, 10, temperature).to({ dtype })
      prototypes.loadStateDict(new Map([['weight', tensor('W')]]))
      const x = tensor('x', true)
      const labels = fromTypedArray(golden.i64('labels'), [16])
      const logits = prototypes.logits(x)
      const loss = F.crossEntropy(logits, labels)
      loss.backward()

      const key = `tau${temperature}.f64`
      const close = (name: string, actual: Float64Array) =>
        expectClose(
          `classifier ${tag}`,
          `${name}, temperature ${temperature}`,
          actual,
          golden.f64(`${key}.${name}`),
          tolerance,
        )
      close('logits', valuesOf(logits))
      close('loss', valuesOf(loss))
      close('dx', gradientOf(x))
      close('dW', gradientOf(prototypes.weight))
      const percent = countTopK(logits, labels, [1, 5]).map((count) => (100 * count.item()) / 16)
      expect(percent).toEqual([...golden.f32(`${key}.acc1_acc5`)])
    })
  })

  test('l2 normalisation and its gradient: rows of zeros, of norms 1e-13, 1e-6, 1e6, an axis, an ordinary one', () => {
    tidy(() => {
      const x = tensor('l2.x', true)
      const y = F.normalize(x)
      y.mul(tensor('l2.g')).sum().backward()
      const rows = (values: Float64Array) =>
        Array.from({ length: 6 }, (_, i) => values.subarray(8 * i, 8 * i + 8))
      const expected = { y: rows(golden.f64('l2.f64.y')), dx: rows(golden.f64('l2.f64.dx')) }
      for (const [i, row] of rows(valuesOf(y)).entries())
        expectCloseToMax(`l2 ${tag}`, `y of row ${i}`, row, expected.y[i]!, tolerance)
      for (const [i, row] of rows(gradientOf(x)).entries())
        expectCloseToMax(`l2 ${tag}`, `dx of row ${i}`, row, expected.dx[i]!, tolerance)
    })
  })

  test('exact GELU and its derivative', () => {
    tidy(() => {
      const x = fromTypedArray(golden.f64('gelu.x'), [241], { dtype, requiresGrad: true })
      const y = F.gelu(x)
      y.sum().backward()
      const absolute = tag === 'f64' ? 1e-14 : 1e-6
      expectCloseToMax(`gelu ${tag}`, 'y', valuesOf(y), golden.f64('gelu.f64.y'), absolute, 1)
      expectCloseToMax(`gelu ${tag}`, 'dy', gradientOf(x), golden.f64('gelu.f64.dy'), absolute, 1)
    })
  })
})
