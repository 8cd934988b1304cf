import { fromTypedArray, setNumThreads, tidy } from 'trex-torch'
import { beforeAll, describe, expect, test } from 'vitest'
import { Projector } from '../src/method/projector.js'
import { expectCloseToMax, maxAbs } from './support/compare.js'
import { openGolden } from './support/golden.js'
import { filledState, gradientOf, precisions, valuesOf } from './support/model.js'

const golden = openGolden('b_projector')
const cases = [0, 1, 2, 3].flatMap((layers) => [false, true].map((l2Input) => ({ layers, l2Input })))

beforeAll(() => setNumThreads(1))

describe.each(cases)('$layers hidden layers, l2Input $l2Input', ({ layers, l2Input }) => {
  const name = `L${layers}.n${Number(l2Input)}`
  const create = () => {
    const projector = new Projector(48, { layers, hidden: 40, bottleneck: 24, l2Input })
    projector.loadStateDict(filledState(projector, `b.${name}.`, 'default'))
    return projector
  }

  test('the state has the stored names and values', () => {
    const state = [...create().stateDict()]
    const floats = state.filter(([, tensor]) => tensor.dtype === 'float32')
    expect(floats.map(([key]) => key)).toEqual(golden.json(`${name}.state_names`))
    for (const [key, tensor] of floats)
      expect(tensor.toTypedArray(), key).toEqual(golden.f32(`${name}.init.${key}`))
  })

  test.each(precisions)('training, then evaluation, in %s', (tag, dtype) => {
    const tolerance = tag === 'f64' ? 1e-9 : 1e-5
    const projector = create().to({ dtype })
    for (const mode of ['train', 'eval'] as const)
      tidy(() => {
        const group = `projector ${mode} ${tag}`
        const key = `${name}.${mode}.f64`
        projector.train(mode === 'train').zeroGrad()
        const x = fromTypedArray(golden.f32('x'), [16, 48], { dtype, requiresGrad: true })
        const y = projector.forward(x)
        y.mul(fromTypedArray(golden.f32('g'), [16, 24], { dtype }))
          .sum()
          .backward()

        expectCloseToMax(group, `${name} y`, valuesOf(y), golden.f64(`${key}.y`), tolerance)
        expectCloseToMax(group, `${name} dx`, gradientOf(x), golden.f64(`${key}.dx`), tolerance)
        for (const [parameter, tensor] of projector.namedParameters()) {
          const expected = golden.f64(`${key}.grad.${parameter}`)
          // Batch norm takes the layer's bias away again: the gradient is what rounding leaves of 0.
          const vanishing = mode === 'train' && parameter.endsWith('fc.bias')
          const scale = maxAbs(
            vanishing ? golden.f64(`${key}.grad.${parameter.replace('bias', 'weight')}`) : expected,
          )
          expectCloseToMax(group, `${name} ${parameter}`, gradientOf(tensor), expected, tolerance, scale)
        }
        for (const [buffer, tensor] of projector.namedBuffers()) {
          const after = `${name}.train.f64.after.${buffer}` // evaluation leaves them
          if (tensor.dtype === 'int64')
            expect(BigInt64Array.of(BigInt(tensor.item()))).toEqual(golden.i64(after))
          else expectCloseToMax(group, `${name} ${buffer}`, valuesOf(tensor), golden.f64(after), tolerance)
        }
      })
  })
})
