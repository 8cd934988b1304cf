import { describe, expect, test } from 'vitest'
import { expectClose, values } from '../test/support/values.js'
import { noGrad } from './autograd.js'
import { arange, fromTypedArray, tensor } from './create.js'
import * as F from './functional.js'
import { manualSeed } from './generator.js'
import {
  AdaptiveAvgPool2d,
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  Flatten,
  GELU,
  Identity,
  Linear,
  MaxPool2d,
  ReLU,
} from './layers.js'
import { Sequential } from './module.js'

/** Numbers without a pattern in [-1, 1). */
const noise = (n: number, seed = 1) =>
  Float64Array.from({ length: n }, (_, i) => (Math.sin(seed * 78.233 + i * 12.9898) * 43758.5453) % 1)
const noiseTensor = (shape: number[], seed = 1) =>
  fromTypedArray(
    noise(
      shape.reduce((a, b) => a * b),
      seed,
    ),
    shape,
  )

interface ConvOptions {
  stride: number
  padding: number
  dilation: number
  groups: number
}

/** Cross-correlation by its definition. */
function convolve(
  x: Float64Array,
  [n, cin, h, w]: number[],
  k: Float64Array,
  [cout, , kh, kw]: number[],
  o: ConvOptions,
) {
  const size = (length: number, kernel: number) =>
    Math.floor((length + 2 * o.padding - o.dilation * (kernel - 1) - 1) / o.stride) + 1
  const [outH, outW] = [size(h!, kh!), size(w!, kw!)]
  const perGroup = cin! / o.groups
  const out: number[] = []
  for (let b = 0; b < n!; b++)
    for (let c = 0; c < cout!; c++)
      for (let y = 0; y < outH; y++)
        for (let z = 0; z < outW; z++) {
          let sum = 0
          const first = Math.floor(c / (cout! / o.groups)) * perGroup
          for (let i = 0; i < perGroup; i++)
            for (let u = 0; u < kh!; u++)
              for (let v = 0; v < kw!; v++) {
                const row = y * o.stride + u * o.dilation - o.padding
                const column = z * o.stride + v * o.dilation - o.padding
                if (row < 0 || column < 0 || row >= h! || column >= w!) continue
                sum +=
                  x[((b * cin! + first + i) * h! + row) * w! + column]! *
                  k[((c * perGroup + i) * kh! + u) * kw! + v]!
              }
          out.push(sum)
        }
  return out
}

describe('Conv2d', () => {
  const cases: ConvOptions[] = [
    { stride: 1, padding: 0, dilation: 1, groups: 1 },
    { stride: 2, padding: 1, dilation: 1, groups: 1 },
    { stride: 1, padding: 2, dilation: 2, groups: 1 },
    { stride: 1, padding: 1, dilation: 1, groups: 2 },
  ]
  test.each(cases)('by hand: %o', (options) => {
    const shape = [2, 4, 5, 6]
    const kernel = [6, 4 / options.groups, 3, 3]
    const layer = new Conv2d(4, 6, 3, options).to({ dtype: 'float64' })
    const [x, k] = [noiseTensor(shape), noiseTensor(kernel, 2)]
    noGrad(() => layer.weight.copy_(k))
    noGrad(() => layer.bias!.fill_(0.5))
    const expected = convolve(
      noise(240),
      shape,
      noise(
        kernel.reduce((a, b) => a * b),
        2,
      ),
      kernel,
      options,
    )
    expectClose(
      layer.forward(x),
      expected.map((v) => v + 0.5),
      1e-12,
    )
    const last = layer.to({ memoryFormat: 'channelsLast' }).forward(x.to({ memoryFormat: 'channelsLast' }))
    expectClose(
      last,
      expected.map((v) => v + 0.5),
      1e-12,
    )
  })

  test('starts with the weights of PyTorch under one seed', () => {
    manualSeed(0)
    const linear = new Linear(3, 2)
    // torch.manual_seed(0); torch.nn.Linear(3, 2)
    expectClose(
      linear.weight,
      [
        -0.004322517663240433, 0.3097158372402191, -0.4751853346824646, -0.4248946011066437,
        -0.2223689705133438, 0.15482072532176971,
      ],
      1e-6,
    )
    expectClose(linear.bias!, [-0.011439144611358643, 0.45777493715286255], 1e-6)
  })

  test('refuses groups that do not divide the channels', () => {
    expect(() => new Conv2d(3, 4, 1, { groups: 2 })).toThrow(RangeError)
    const [x, weight] = [noiseTensor([1, 2, 3, 3]), noiseTensor([4, 2, 1, 1])]
    for (const groups of [2 ** 53, 3, 0, Number.NaN])
      expect(() => F.conv2d(x, weight, null, { groups })).toThrow(RangeError)
  })
})

describe('Linear', () => {
  test('is x W^T + b over the last dimension', () => {
    const layer = new Linear(2, 3)
    noGrad(() => {
      layer.weight.copy_(
        tensor([
          [1, 2],
          [3, 4],
          [5, 6],
        ]),
      )
      layer.bias!.copy_(tensor([0.5, 0, -1]))
    })
    expect(values(layer.forward(tensor([[1, -1]])))).toEqual([-0.5, -1, -2])
    expect(
      layer.forward(
        tensor([
          [
            [1, 1],
            [2, 2],
          ],
        ]),
      ).shape,
    ).toEqual([1, 2, 3])
    expect(new Linear(2, 3, { bias: false }).bias).toBeNull()
    expect(() => layer.forward(tensor([[1, 2, 3]]))).toThrow(/aten::linear: .*shapes/s)
  })
})

describe('batch norm', () => {
  const data = noise(2 * 3 * 2 * 2)
  const channel = (c: number) => [...data].filter((_, i) => Math.floor(i / 4) % 3 === c)
  const mean = (v: number[]) => v.reduce((a, b) => a + b) / v.length
  const variance = (v: number[], ddof: number) =>
    v.reduce((a, b) => a + (b - mean(v)) ** 2, 0) / (v.length - ddof)

  test('training: the biased variance normalises, the unbiased one is remembered', () => {
    const bn = new BatchNorm2d(3, { momentum: 0.3, eps: 1e-4 }).to({ dtype: 'float64' })
    noGrad(() => bn.weight.copy_(tensor([1, 2, 3])))
    noGrad(() => bn.bias.copy_(tensor([0, 1, -1])))
    const y = bn.forward(fromTypedArray(data, [2, 3, 2, 2]))
    const expected = [...data].map((value, i) => {
      const c = Math.floor(i / 4) % 3
      const v = channel(c)
      return ((value - mean(v)) / Math.sqrt(variance(v, 0) + 1e-4)) * (c + 1) + [0, 1, -1][c]!
    })
    expectClose(y, expected, 1e-12)
    expectClose(
      bn.runningMean,
      [0, 1, 2].map((c) => 0.3 * mean(channel(c))),
      1e-12,
    )
    expectClose(
      bn.runningVar,
      [0, 1, 2].map((c) => 0.7 + 0.3 * variance(channel(c), 1)),
      1e-12,
    )
    expect(bn.numBatchesTracked.item()).toBe(1)
  })

  test('evaluation uses the running statistics and changes nothing', () => {
    const bn = new BatchNorm1d(2).eval()
    noGrad(() => bn.runningMean.copy_(tensor([1, 2])))
    noGrad(() => bn.runningVar.copy_(tensor([4, 9])))
    const y = bn.forward(tensor([[3, -1]]))
    expectClose(y, [2 / Math.sqrt(4 + 1e-5), -3 / Math.sqrt(9 + 1e-5)])
    expect(values(bn.runningMean)).toEqual([1, 2])
    expect(bn.numBatchesTracked.item()).toBe(0)
  })

  test('checks the number of dimensions', () => {
    expect(() => new BatchNorm2d(2).forward(tensor([[1, 2]]))).toThrow(/BatchNorm2d needs 4 dimensions/)
    expect(() => new BatchNorm1d(2).forward(tensor([1, 2]))).toThrow(/BatchNorm1d needs 2 or 3/)
    expect(() => new BatchNorm1d(2).forward(tensor([[1, 2]]))).toThrow(/more than 1 value per channel/)
  })
})

describe('pooling and shapes', () => {
  const x = () => arange(0, 12).reshape(1, 1, 3, 4)

  test('max, average and adaptive average', () => {
    expect(values(new MaxPool2d(2, { stride: 1, padding: 1 }).forward(x()))).toEqual([
      0, 1, 2, 3, 3, 4, 5, 6, 7, 7, 8, 9, 10, 11, 11, 8, 9, 10, 11, 11,
    ])
    expect(values(new MaxPool2d(2).forward(x()))).toEqual([5, 7])
    expect(values(new AvgPool2d(2).forward(x()))).toEqual([2.5, 4.5])
    expect(values(new AvgPool2d(2, { padding: 1 }).forward(x()))).toEqual([0, 0.75, 0.75, 3, 7.5, 4.5]) // counts padding
    expect(values(new AdaptiveAvgPool2d(2).forward(x()))).toEqual([2.5, 4.5, 6.5, 8.5])
    expect(values(new AdaptiveAvgPool2d(1).forward(x()))).toEqual([5.5])
  })

  test('activations, flatten, identity, sequence', () => {
    const points = tensor([-1, 0, 2])
    // torch.nn.functional.gelu([0.5, -1, 2, 3, 0.1, -2])
    const gelu = [
      0.3457312285900116, -0.15865525603294373, 1.9544997215270996, 2.9959497451782227, 0.05398278310894966,
      -0.04550027847290039,
    ]
    expectClose(new GELU().forward(tensor([0.5, -1, 2, 3, 0.1, -2])), gelu, 1e-6)
    const tanh = [0.3457140028476715, -0.15880799293518066, 1.9545977115631104]
    expectClose(F.gelu(tensor([0.5, -1, 2]), 'tanh'), tanh, 1e-6)
    expect(values(new ReLU().forward(points))).toEqual([0, 0, 2])
    expect(values(points)).toEqual([-1, 0, 2])
    expect(new ReLU(true).forward(points)).toBe(points)
    expect(values(points)).toEqual([0, 0, 2])
    expect(new Flatten().forward(x()).shape).toEqual([1, 12])
    expect(new Identity().forward(points)).toBe(points)
    const sequence = new Sequential(new MaxPool2d(2), new Flatten(), new ReLU())
    expect(values(sequence.forward(x().sub(6)))).toEqual([0, 1])
  })
})
