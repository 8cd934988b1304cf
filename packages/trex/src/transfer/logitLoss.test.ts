import { fromTypedArray, type Tensor, tidy } from 'trex-torch'
import { describe, expect, test } from 'vitest'
import { rngFor } from '../rng.js'
import { type LogitLoss, sigmoidLoss, softmaxLoss } from './logitLoss.js'

const [n, classes] = [7, 4]
const noise = (stream: number, scale: number) => {
  const rng = rngFor(5, stream)
  return Float64Array.from({ length: n * classes }, () => scale * rng.normal())
}
const logits = noise(1, 2)
const direction = noise(2, 1)
const matrix = (values: Float64Array): Tensor => fromTypedArray(values, [n, classes])
const values = (tensor: Tensor) => tensor.toTypedArray() as Float64Array
const labels = Int32Array.from({ length: n }, (_, i) => i % classes)
const targets = Uint8Array.from({ length: n * classes }, (_, i) => Number(i % 3 === 0))
const losses: [string, LogitLoss][] = [
  ['softmax', softmaxLoss(labels, 'cpu')],
  ['sigmoid', sigmoidLoss(targets, classes, 'cpu')],
]

describe.each(losses)('%s loss', (name, loss) => {
  test('has the value of its definition', () => {
    const expected = [...logits.keys()].reduce((sum, i) => {
      if (name === 'sigmoid') return sum + Math.log1p(Math.exp(targets[i] ? -logits[i]! : logits[i]!))
      const row = logits.subarray(i, i + classes)
      return i % classes === 0
        ? sum + Math.log(row.reduce((s, z) => s + Math.exp(z), 0)) - row[labels[i / classes]!]!
        : sum
    }, 0)
    tidy(() => expect(loss.at(matrix(logits)).value).toBeCloseTo(expected, 12))
  })

  test('has the first and second derivative of its value, by central differences', () => {
    tidy(() => {
      const h = 1e-5
      const at = (step: number) => loss.at(matrix(logits.map((z, i) => z + step * direction[i]!)))
      const [plus, minus, here] = [at(h), at(-h), at(0)]
      const slope = values(here.residual).reduce((sum, r, i) => sum + r * direction[i]!, 0)
      expect((plus.value - minus.value) / (2 * h)).toBeCloseTo(slope, 8)
      const product = values(loss.product(here, matrix(direction)))
      const [above, below] = [values(plus.residual), values(minus.residual)]
      for (const [i, p] of product.entries()) expect((above[i]! - below[i]!) / (2 * h)).toBeCloseTo(p, 8)
      const unit = new Float64Array(n * classes)
      unit[6] = 1
      expect(values(loss.curvature(here))[6]).toBeCloseTo(values(loss.product(here, matrix(unit)))[6]!, 14)
    })
  })
})

test('the softmax loss keeps its digits in float32 where a probability is all but 1', () => {
  tidy(() => {
    const loss = softmaxLoss(Int32Array.of(0), 'cpu')
    const point = loss.at(fromTypedArray(Float32Array.of(30, 0), [1, 2]))
    const q = 1 / (1 + Math.exp(30)) // 9.4e-14: 1 - q is 1 in float32
    expect(point.value / q).toBeCloseTo(1, 6)
    expect(point.residual.toFloat32Array()[0]! / -q).toBeCloseTo(1, 6)
    expect(loss.curvature(point).toFloat32Array()[0]! / q).toBeCloseTo(1, 6)
    const product = loss.product(point, fromTypedArray(Float32Array.of(2000, 2001), [1, 2])).toFloat32Array()
    expect(product[1]! / q).toBeCloseTo(1, 6)
    expect(product[0]! / -q).toBeCloseTo(1, 6)
  })
})
