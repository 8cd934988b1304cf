import { autocast, Conv2d, F, full, randn, tensor, tidy } from 'trex-torch'
import { describe, expect, test } from 'vitest'
import { gradCheck } from '../test/support/gradCheck.js'
import { expectClose, values } from '../test/support/values.js'

const logits = [
  [0.5, -1, 2],
  [3, 0.1, -2],
]
const labels = [2, 1]
const leaf = (data: Parameters<typeof tensor>[0]) => tensor(data, { dtype: 'float64', requiresGrad: true })
const target = () => tensor(labels, { dtype: 'int64' })
const logProbabilities = logits.map((row) => {
  const sum = row.reduce((total, v) => total + Math.exp(v), 0)
  return row.map((v) => v - Math.log(sum))
})

describe('cross-entropy', () => {
  const each = logProbabilities.map((row, i) => -row[labels[i]!]!)

  test('is the negative log of the softmax', () => {
    expectClose(F.crossEntropy(leaf(logits), target(), { reduction: 'none' }), each, 1e-14)
    expectClose([F.crossEntropy(leaf(logits), target()).item()], [(each[0]! + each[1]!) / 2], 1e-14)
    expectClose(
      [F.crossEntropy(leaf(logits), target(), { reduction: 'sum' }).item()],
      [each[0]! + each[1]!],
      1e-14,
    )
    expectClose([F.nllLoss(leaf(logProbabilities), target()).item()], [(each[0]! + each[1]!) / 2], 1e-14)
  })

  test('label smoothing mixes in the mean over classes', () => {
    const smooth = logProbabilities.map((row, i) => 0.9 * each[i]! - (0.1 * row.reduce((a, b) => a + b)) / 3)
    const loss = F.crossEntropy(leaf(logits), target(), { labelSmoothing: 0.1 }).item()
    expectClose([loss], [(smooth[0]! + smooth[1]!) / 2], 1e-14)
    expectClose([loss], [1.6622867584228516], 1e-7) // torch 2.13, float32
  })

  test('refuses a label that is no class', () => {
    expect(() => F.crossEntropy(leaf(logits), tensor([0, 3], { dtype: 'int64' }))).toThrow(/out of bounds/)
    expect(() => F.crossEntropy(leaf(logits), tensor([0], { dtype: 'int64' }))).toThrow()
  })
})

describe('other losses', () => {
  const [x, y] = [
    [0.5, -2, 3],
    [1, 0, 0.25],
  ]

  test('mean squared error', () => {
    const each = x.map((v, i) => (v - y[i]!) ** 2)
    expectClose(F.mseLoss(leaf(x), leaf(y), 'none'), each, 1e-15)
    expectClose([F.mseLoss(leaf(x), leaf(y)).item()], [each.reduce((a, b) => a + b) / 3], 1e-15)
  })

  test('smooth L1: square below beta, line above', () => {
    const each = x.map((v, i) => {
      const d = Math.abs(v - y[i]!)
      return d < 0.75 ? (0.5 * d * d) / 0.75 : d - 0.375
    })
    expectClose(F.smoothL1Loss(leaf(x), leaf(y), 'none', 0.75), each, 1e-15)
  })

  test('binary cross-entropy, of large logits too', () => {
    const each = x.map(
      (v, i) => -y[i]! * Math.log(1 / (1 + Math.exp(-v))) - (1 - y[i]!) * Math.log(1 / (1 + Math.exp(v))),
    )
    expectClose(F.binaryCrossEntropyWithLogits(leaf(x), leaf(y), 'none'), each, 1e-14)
    expect(F.binaryCrossEntropyWithLogits(leaf([1000]), leaf([0])).item()).toBe(1000)
  })

  test('normalize gives unit rows, and 0 for a zero row', () => {
    expectClose(
      F.normalize(
        leaf([
          [3, 4],
          [0, 0],
          [1e-20, 0],
        ]),
      ),
      [0.6, 0.8, 0, 0, 1e-8, 0],
      1e-14,
    )
    expect(
      values(
        F.normalize(
          leaf([
            [3, 0],
            [4, 1],
          ]),
          0,
        ),
      ).slice(0, 3),
    ).toEqual([0.6, 0, 0.8])
  })
})

describe('gradients against central differences', () => {
  const weight = () =>
    leaf([
      [
        [
          [0.3, -0.2],
          [0.5, 0.1],
        ],
      ],
      [
        [
          [-0.4, 0.7],
          [0.2, -0.6],
        ],
      ],
    ])
  const image = () =>
    leaf([
      [
        [
          [0.1, -0.9, 0.4],
          [1.2, 0.3, -0.5],
          [-0.7, 0.8, 0.6],
        ],
      ],
    ])
  const row = () => leaf(logits)

  test.each([
    ['crossEntropy', () => gradCheck((x) => F.crossEntropy(x, target(), { labelSmoothing: 0.1 }), [row()])],
    [
      'mseLoss',
      () =>
        gradCheck(
          (x) =>
            F.mseLoss(
              x,
              leaf([
                [1, 2, 3],
                [0, 0, 0],
              ]),
            ),
          [row()],
        ),
    ],
    [
      'smoothL1Loss',
      () =>
        gradCheck(
          (x) =>
            F.smoothL1Loss(
              x,
              leaf([
                [1, 2, 3],
                [0, 0, 0],
              ]),
              'sum',
              0.6,
            ),
          [row()],
        ),
    ],
    [
      'bce',
      () =>
        gradCheck(
          (x) =>
            F.binaryCrossEntropyWithLogits(
              x,
              leaf([
                [1, 0, 0.5],
                [0, 1, 0],
              ]),
            ),
          [row()],
        ),
    ],
    ['normalize', () => gradCheck((x) => F.normalize(x), [row()])],
    ['gelu', () => gradCheck((x) => F.gelu(x), [row()])],
    [
      'conv2d',
      () => gradCheck((x, w) => F.conv2d(x, w, null, { stride: 1, padding: 1 }), [image(), weight()]),
    ],
    ['avgPool2d', () => gradCheck((x) => F.avgPool2d(x, 2, { stride: 1 }), [image()])],
    ['maxPool2d', () => gradCheck((x) => F.maxPool2d(x, 2, { stride: 1 }), [image()])],
    [
      'linear',
      () =>
        gradCheck(
          (x, w) => F.linear(x, w),
          [
            row(),
            leaf([
              [0.2, -0.3, 0.7],
              [1, 0.4, -0.1],
            ]),
          ],
        ),
    ],
    [
      'batchNorm',
      () => {
        const state = { weight: null, bias: null, runningMean: null, runningVar: null }
        return gradCheck(
          (x) => F.batchNorm(x, state, true),
          [
            leaf([
              [0.5, -1],
              [2, 0.3],
              [-0.7, 1.1],
            ]),
          ],
        )
      },
    ],
  ])('%s', (_name, check) => {
    for (const difference of check()) expect(difference).toBeLessThan(1e-6)
  })
})

test('a strided convolution of one pixel is its centre tap, every time', () => {
  const images = randn([128, 128, 1, 1])
  const conv = new Conv2d(128, 256, 3, { stride: 2, padding: 1, bias: false })
  const expected = images.flatten(1).matmul(conv.weight.select(3, 1).select(2, 1).t())
  const results = new Set<string>()
  for (let i = 0; i < 12; i++) {
    tidy(() => Array.from({ length: 20 }, (_, k) => full([1 + 10_007 * ((i + k) % 20)], Number.NaN))) // what a kernel finds that reads memory nobody wrote
    const y = autocast({ dtype: 'bfloat16' }, () => conv.forward(images))
    conv.zeroGrad()
    y.to('float32').mul(y.to('float32')).sum().backward()
    expect(y.to('float32').flatten(1).sub(expected).abs().max().item()).toBeLessThan(0.05)
    const bytes = [y.detach(), conv.weight.grad!].map((t) => Buffer.from(t.toTypedArray().buffer))
    results.add(Buffer.concat(bytes).toString('base64'))
  }
  expect(results.size).toBe(1)
})

test('layer norm: each row to mean 0 and variance 1, then weight and bias', () => {
  const x = tensor(
    [
      [1, 2, 6],
      [-4, 0, 1],
    ],
    { dtype: 'float64' },
  )
  const [weight, bias] = [tensor([2, 1, 3], { dtype: 'float64' }), tensor([0, -1, 5], { dtype: 'float64' })]
  const rows = [
    [-2, -1, 3, 14 / 3],
    [-3, 1, 2, 14 / 3],
  ]
  const expected = rows.flatMap(([a, b, c, variance]) => {
    const scale = 1 / Math.sqrt(variance! + 0.5)
    return [2 * a! * scale, b! * scale - 1, 3 * c! * scale + 5]
  })
  expectClose(F.layerNorm(x, weight, bias, 0.5), expected, 1e-14)
})

test('attention: a weighted mean of the values by the softmax of scaled products', () => {
  const [q, k, v] = [
    [[1, 0, 0, 0]],
    [
      [2, 9, 9, 9],
      [0, 9, 9, 9],
    ],
    [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ],
  ].map((rows) => tensor([[rows]], { dtype: 'float64' }))
  const weight = Math.E / (Math.E + 1) // of exp(2 / sqrt(4)) and exp(0)
  const expected = [1, 2, 3, 4].map((value) => weight * value + (1 - weight) * (value + 4))
  for (const kernel of new Set(['plain', F.attentionKernel()] as const))
    expectClose(F.attention(q!, k!, v!, kernel), expected, 1e-14)
})

test('bicubic upsampling: by the ratio of the sizes, or by a scale of its own', () => {
  const image = [
    [1, -2, 3],
    [0.5, 4, -1],
    [2, 2, 5],
  ]
  const x = tensor([[image]], { dtype: 'float64' })
  // torch.nn.functional.interpolate, float64
  expectClose(
    F.upsampleBicubic2d(x, [2, 2]),
    [0.4295806884765625, 1.2776565551757812, 1.8446197509765625, 3.3465194702148438],
    1e-13,
  )
  expectClose(
    F.upsampleBicubic2d(x, [2, 2], [2.1 / 3, 2.1 / 3]),
    [0.4688755389442318, 0.9923382604519032, 1.770276631255895, 2.923641580470559],
    1e-13,
  )
  expectClose(F.upsampleBicubic2d(x, [3, 3]), image.flat(), 1e-13)
})
