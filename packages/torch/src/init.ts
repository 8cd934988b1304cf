import { noGrad } from './autograd.js'
import type { Generator } from './generator.js'
import type { Tensor } from './tensor/tensor.js'
import { tidy } from './tidy.js'

// torch.nn.init: every initialiser writes its tensor and returns it; randomness comes from `generator`,
// or from the default generator of the tensor's device.

/** Inputs and outputs of one unit: of a linear [out, in] or convolution [out, in, kH, kW] weight. */
export function fans(weight: Tensor): { fanIn: number; fanOut: number } {
  if (weight.dim < 2)
    throw new RangeError(`fans need a weight of 2 or more dimensions, got [${weight.shape}]`)
  const [out, input, ...kernel] = weight.shape as [number, number, ...number[]]
  const field = kernel.reduce((product, size) => product * size, 1)
  return { fanIn: input * field, fanOut: out * field }
}

/** Every element `value`. */
export function constant_(x: Tensor, value: number): Tensor {
  return noGrad(() => x.fill_(value))
}

/** U(from, to). */
export function uniform_(x: Tensor, from: number, to: number, generator?: Generator): Tensor {
  return noGrad(() => x.uniform_(from, to, generator))
}

/** N(mean, std). */
export function normal_(x: Tensor, mean = 0, std = 1, generator?: Generator): Tensor {
  return noGrad(() => x.normal_(mean, std, generator))
}

/**
 * N(mean, std) restricted to [a, b]: values outside are drawn again. The bounds are absolute, not in
 * standard deviations, so with the usual std 0.02 and bounds of 2 nothing is ever cut.
 * @throws RangeError unless a < b, std > 0 and at least one value in 10,000 falls between the bounds.
 */
export function truncNormal_(x: Tensor, mean = 0, std = 1, a = -2, b = 2, generator?: Generator): Tensor {
  if (!(a < b)) throw new RangeError(`truncNormal_: the bounds [${a}, ${b}] are no interval`)
  if (!(std > 0)) throw new RangeError(`truncNormal_: std must be positive, got ${std}`)
  if (!(mostWithin((a - mean) / std, (b - mean) / std) >= 1e-4))
    throw new RangeError(`truncNormal_: N(${mean}, ${std}) hardly ever falls in [${a}, ${b}]`)
  const redraw = () => {
    const outside = x.lt(a).add(x.gt(b))
    if (!outside.any().item()) return false
    const again = x.clone().normal_(mean, std, generator)
    x.copy_(again.mul(outside).add(x.mul(outside.logicalNot())))
    return true
  }
  return noGrad(() => {
    x.normal_(mean, std, generator)
    while (tidy(redraw));
    return x
  })
}

/** An upper bound of the probability that N(0, 1) falls in [from, to]: width or tail times the highest density. */
function mostWithin(from: number, to: number): number {
  const nearest = Math.max(from, -to, 0)
  const density = Math.exp((-nearest * nearest) / 2) / Math.sqrt(2 * Math.PI)
  return density * Math.min(to - from, 1 / nearest)
}

/** He et al. 2015: N(0, 2 / fan) for layers followed by a ReLU. */
export function kaimingNormal_(x: Tensor, mode: 'fanIn' | 'fanOut' = 'fanIn', generator?: Generator): Tensor {
  return normal_(x, 0, Math.sqrt(2 / fans(x)[mode]), generator)
}

/** PyTorch's default for linear and convolution weights: U(-1, 1) / sqrt(fanIn). */
export function defaultUniform_(x: Tensor, fanIn: number, generator?: Generator): Tensor {
  const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0
  return uniform_(x, -bound, bound, generator)
}
