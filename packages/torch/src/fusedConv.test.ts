import { expect, test } from 'vitest'
import { noGrad } from './autograd.js'
import { randn } from './create.js'
import { hasOperator, tensorOp } from './dispatch.js'
import * as F from './functional.js'
import { fusedConv2d } from './fusedConv.js'
import { Generator } from './generator.js'
import { liveTensors, tidy } from './tidy.js'

test.each([
  ['float32', 1e-5],
  ['bfloat16', 0.03],
] as const)('in %s it equals a convolution, a sum and a ReLU one after the other', (dtype, tolerance) => {
  const generator = new Generator(3)
  const before = liveTensors()
  tidy(() =>
    noGrad(() => {
      for (const [side, kernel, stride] of [
        [9, 3, 1],
        [9, 3, 2],
        [8, 1, 2],
        [2, 3, 2],
        [1, 3, 2], // of one pixel, where oneDNN's strided bfloat16 kernel is wrong
        [12, 7, 2],
      ] as const) {
        const padding = kernel >> 1
        const image = { dtype, memoryFormat: 'channelsLast' } as const
        const x = randn([2, 16, side, side], { generator }).to(image)
        const weight = randn([8, 16, kernel, kernel], { generator })
          .div(4 * kernel)
          .to(image)
        const bias = randn([8], { generator }).to(dtype)
        const [a, b] = [x, weight].map((tensor) => tensor.to('float64'))
        const plain = F.conv2d(a!, b!, bias.to('float64'), { stride, padding })
        const other = randn([...plain.shape], { generator }).to(image)
        const sum = plain.add(other.to('float64'))
        for (const [add, relu, expected] of [
          [null, false, plain],
          [null, true, plain.relu()],
          [other, false, sum],
          [other, true, sum.relu()],
        ] as const) {
          const got = fusedConv2d(x, weight, bias, { stride, padding, add, relu })
          expect(got.dtype).toBe(dtype)
          const error = got.to('float64').sub(expected).abs().div(expected.abs().add(1)).max().item()
          expect(error).toBeLessThan(tolerance)
        }
      }
    }),
  )
  expect(liveTensors()).toBe(before)
})

test.skipIf(!hasOperator('mkldnn::_convolution_pointwise'))(
  'a list of numbers that may be null is an argument',
  () => {
    const pointwise = tensorOp('mkldnn::_convolution_pointwise')
    tidy(() =>
      noGrad(() => {
        const [x, weight] = [randn([1, 4, 5, 5]), randn([4, 4, 1, 1])]
        const y = F.conv2d(x, weight)
        const leaky = (scalars: (number | null)[]) =>
          pointwise(x, weight, null, [0, 0], [1, 1], [1, 1], 1, 'leaky_relu', scalars, '')
        const expected = y.clamp(0).add(y.sub(y.clamp(0)).mul(0.25))
        expect(leaky([0.25]).sub(expected).abs().max().item()).toBeLessThan(1e-5)
        expect(() => leaky(['0.25'] as never)).toThrow(/scalars/)
        expect(() => pointwise(x, weight, null, [0, 0], [1, 1], [1, 1], 1, 'none', [null], '')).not.toThrow()
      }),
    )
  },
)
