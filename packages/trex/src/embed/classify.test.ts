import fc from 'fast-check'
import { expect, test } from 'vitest'
import { classify } from './classify.js'
import { similarity } from './similarity.js'

const rows = (...values: number[][]) => ({
  features: Float32Array.from(values.flat()),
  shape: [values.length, values[0]!.length] as const,
})

test('a linear probe: softmax of weight * x + bias, the likeliest first', () => {
  const head = {
    weight: Float32Array.of(1, 0, 0, 1, -1, -1),
    bias: Float32Array.of(0, Math.log(2), 0),
    classes: ['cat', 'dog', 'owl'],
  }
  const [scores] = classify(rows([1, 1]), head)
  const [cat, dog, owl] = [Math.E, 2 * Math.E, Math.exp(-2)]
  const sum = cat + dog + owl
  expect(scores).toEqual([
    { class: 'dog', label: 1, score: expect.closeTo(dog / sum, 6) },
    { class: 'cat', label: 0, score: expect.closeTo(cat / sum, 6) },
    { class: 'owl', label: 2, score: expect.closeTo(owl / sum, 6) },
  ])
  expect(classify(rows([1, 1], [0, 0]), head, { top: 1 }).map(([best]) => best!.class)).toEqual([
    'dog',
    'dog',
  ])
})

test('prototypes: softmax of cosines over the temperature, whatever the lengths', () => {
  const head = { prototypes: Float32Array.of(2, 0, 0, 2), temperature: 0.1 }
  const [scores] = classify(Float32Array.of(3, 3), head)
  expect(scores).toEqual([
    { class: '0', label: 0, score: 0.5 },
    { class: '1', label: 1, score: 0.5 },
  ])
  const [near] = classify(Float32Array.of(1, 0), head)
  expect(near![0]).toEqual({ class: '0', label: 0, score: expect.closeTo(1 / (1 + Math.exp(-10)), 12) })
})

test('logits of any size give scores that sum to one', () => {
  const numbers = fc.array(fc.float({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 6, maxLength: 6 })
  fc.assert(
    fc.property(numbers, ([a, b, c, d, e, f]) => {
      const [scores] = classify(Float32Array.of(a!, b!), { weight: Float32Array.of(c!, d!, e!, f!) })
      expect(scores!.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 12)
      expect(scores![0]!.score).toBeGreaterThanOrEqual(scores![1]!.score)
    }),
  )
})

test('numbers that do not fit together are errors', () => {
  const weight = new Float32Array(6)
  expect(() => classify(rows([1, 2]), { weight, classes: ['a', 'b'] })).toThrow(
    'the features have 2 numbers each, the weights have 3',
  )
  expect(() => classify(rows([1, 2, 3, 4]), { weight })).toThrow(
    'the weights of [1.5,4] do not have 6 values',
  )
  expect(() => classify(rows([1, 2, 3]), { weight }, { top: -1 })).toThrow('top is -1')
  expect(() => classify(rows([1, 2, 3]), { weight, bias: new Float32Array(3) })).toThrow('3 biases')
  expect(() => classify(rows([1, 2, 3]), { prototypes: weight, temperature: 0 })).toThrow('temperature is 0')
  expect(() => classify(rows([Number.NaN, 2, 3]), { weight })).toThrow('feature vector 0 are no numbers')
})

test('similarity is the matrix of cosines, 0 with a vector of zeros', () => {
  const cosines = similarity(rows([1, 0], [1, 1], [0, 0]), rows([2, 0], [0, -3]))
  const half = Math.fround(Math.SQRT1_2)
  expect([...cosines].map((x) => Math.fround(x))).toEqual([1, 0, half, -half, 0, 0])
  expect([...similarity(Float32Array.of(3, 4), Float32Array.of(4, 3))]).toEqual([Math.fround(0.96)])
  expect(() => similarity(rows([1, 0]), rows([1, 0, 0]))).toThrow('2 numbers each, the second have 3')
})
