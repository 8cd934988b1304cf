import { schemaOf, tensorOp } from './dispatch.js'
import * as ops from './ops.js'
import type { Tensor } from './tensor/tensor.js'

// torch.nn.functional: stateless layers. Images are [N, C, H, W].

const aten = {
  linear: tensorOp('aten::linear'),
  conv2d: tensorOp('aten::conv2d'),
  batchNorm: tensorOp('aten::batch_norm'),
  layerNorm: tensorOp('aten::layer_norm'),
  attention: tensorOp('aten::scaled_dot_product_attention'),
  upsampleBicubic2d: tensorOp('aten::upsample_bicubic2d'),
  maxPool2d: tensorOp('aten::max_pool2d'),
  avgPool2d: tensorOp('aten::avg_pool2d'),
  adaptiveAvgPool2d: tensorOp('aten::adaptive_avg_pool2d'),
  crossEntropy: tensorOp('aten::cross_entropy_loss'),
  nllLoss: tensorOp('aten::nll_loss'),
  mseLoss: tensorOp('aten::mse_loss'),
  smoothL1Loss: tensorOp('aten::smooth_l1_loss'),
  bceWithLogits: tensorOp('aten::binary_cross_entropy_with_logits'),
  dropout: tensorOp('aten::dropout'),
}

const reductions = { none: 0, mean: 1, sum: 2 } as const

/** How a loss combines its elements. */
export type Reduction = keyof typeof reductions

/** x [..., in] times weight [out, in] transposed, plus bias [out]. */
export const linear = (x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor =>
  aten.linear(x, weight, bias)

/**
 * Cross-correlation of x [N, Cin, H, W] with weight [Cout, Cin / groups, kH, kW].
 * @throws RangeError when the groups do not divide Cout (libtorch 1.13 ends the process on some such numbers).
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  { stride = 1, padding = 0, dilation = 1, groups = 1 } = {},
): Tensor {
  if (groups !== 1 && weight.size(0) % groups !== 0)
    throw new RangeError(`conv2d: ${groups} groups do not divide ${weight.size(0)} channels`)
  const kernel = weight.size(-1)
  const centred = stride > 1 && kernel > 1 && kernel === weight.size(-2) && 2 * padding === kernel - 1
  if (centred && dilation === 1 && x.size(-1) === 1 && x.size(-2) === 1) {
    // All taps but the centre meet padding. oneDNN's strided bfloat16 kernel reads uninitialised memory here
    // (docs/decisions/0007-conv-of-one-pixel.md); the centre alone gives the same values and gradients.
    const centre = weight.narrow(2, padding, 1).narrow(3, padding, 1)
    return aten.conv2d(x, centre, bias, 1, 0, 1, groups)
  }
  return aten.conv2d(x, weight, bias, stride, padding, dilation, groups)
}

/** What a batch norm works with besides its input: all of shape [C]. */
export interface BatchNormState {
  weight: Tensor | null
  bias: Tensor | null
  runningMean: Tensor | null
  runningVar: Tensor | null
}

/**
 * Normalises each channel with the batch's biased variance (training) or the running statistics.
 * @throws RangeError when training on one value per channel, whose variance is not defined.
 */
export function batchNorm(
  x: Tensor,
  state: BatchNormState,
  training: boolean,
  momentum = 0.1,
  eps = 1e-5,
): Tensor {
  const { weight, bias, runningMean, runningVar } = state
  if (training && x.numel === x.size(1))
    throw new RangeError(`batchNorm needs more than 1 value per channel when training, got [${x.shape}]`)
  return aten.batchNorm(x, weight, bias, runningMean, runningVar, training, momentum, eps, true)
}

/** Normalises the last dimension [D] with its biased variance, then scales and shifts by weight and bias [D]. */
export const layerNorm = (
  x: Tensor,
  weight: Tensor | null = null,
  bias: Tensor | null = null,
  eps = 1e-5,
): Tensor => aten.layerNorm(x, [x.size(-1)], weight, bias, eps)

/** `fused`: one kernel, which does not hold the whole attention matrix; `plain`: matrix products and a softmax. */
export type AttentionKernel = 'fused' | 'plain'

let kernel: AttentionKernel | undefined

/** Which of the two `attention` uses unless told: `fused` from libtorch 2.0 on. */
export function attentionKernel(): AttentionKernel {
  kernel ??= hasOperator('aten::scaled_dot_product_attention') ? 'fused' : 'plain'
  return kernel
}

function hasOperator(name: string): boolean {
  try {
    schemaOf(name)
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_OPERATOR') return false
    throw error
  }
}

/**
 * softmax(q k^T / sqrt(E)) v of queries, keys and values [..., L, E].
 * @throws Error `ERR_OPERATOR` when `fused` is asked of a libtorch before 2.0.
 */
export function attention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  kernel: AttentionKernel = attentionKernel(),
): Tensor {
  if (kernel === 'fused') return aten.attention(query, key, value)
  const scores = query.mul(query.size(-1) ** -0.5).matmul(key.transpose(-2, -1))
  return scores.softmax(-1).matmul(value)
}

/**
 * Bicubic interpolation (a = -0.75, no antialiasing) of [N, C, H, W] to [N, C, height, width]. Pixel centres are mapped
 * by the ratio of the sizes, or by `scale` (new over old height and width), which may differ from it a little.
 */
export const upsampleBicubic2d = (
  x: Tensor,
  [height, width]: readonly [number, number],
  scale: readonly [number, number] | null = null,
): Tensor => aten.upsampleBicubic2d(x, [height, width], false, scale?.[0] ?? null, scale?.[1] ?? null)

/** max(x, 0). */
export const relu = (x: Tensor): Tensor => ops.relu(x)

/** Exact (erf) GELU, or its tanh approximation. */
export const gelu = (x: Tensor, approximate: 'none' | 'tanh' = 'none'): Tensor => ops.gelu(x, approximate)

/** The largest value of each window: [N, C, H, W] to [N, C, H', W']. */
export function maxPool2d(x: Tensor, kernel: number, { stride = kernel, padding = 0 } = {}): Tensor {
  return aten.maxPool2d(x, kernel, stride, padding)
}

/** The mean of each window: [N, C, H, W] to [N, C, H', W']. */
export function avgPool2d(x: Tensor, kernel: number, { stride = kernel, padding = 0 } = {}): Tensor {
  return aten.avgPool2d(x, kernel, stride, padding)
}

/** The means of size x size equal parts: [N, C, H, W] to [N, C, size, size]. */
export const adaptiveAvgPool2d = (x: Tensor, size: number): Tensor => aten.adaptiveAvgPool2d(x, [size, size])

/** In training, zeros with probability p and the rest divided by 1 - p. */
export const dropout = (x: Tensor, p: number, training: boolean): Tensor => aten.dropout(x, p, training)

/** x / max(||x||_2, eps) along `dim`; the norm's derivative is 0 where it is clamped. */
export function normalize(x: Tensor, dim = -1, eps = 1e-12): Tensor {
  return x.div(x.norm(2, dim, true).clamp(eps))
}

/** Softmax cross-entropy of logits [N, C] with int64 labels [N]. */
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  { reduction = 'mean', labelSmoothing = 0 }: { reduction?: Reduction; labelSmoothing?: number } = {},
): Tensor {
  return aten.crossEntropy(logits, labels, null, reductions[reduction], -100, labelSmoothing)
}

/** Negative log likelihood of log-probabilities [N, C]. */
export const nllLoss = (logProbabilities: Tensor, labels: Tensor, reduction: Reduction = 'mean'): Tensor =>
  aten.nllLoss(logProbabilities, labels, null, reductions[reduction], -100)

/** (x - target)^2. */
export const mseLoss = (x: Tensor, target: Tensor, reduction: Reduction = 'mean'): Tensor =>
  aten.mseLoss(x, target, reductions[reduction])

/** 0.5 d^2 / beta below beta, d - 0.5 beta from there on, of d = |x - target|. */
export const smoothL1Loss = (x: Tensor, target: Tensor, reduction: Reduction = 'mean', beta = 1): Tensor =>
  aten.smoothL1Loss(x, target, reductions[reduction], beta)

/** Binary cross-entropy of logits with 0..1 targets of the same shape. */
export const binaryCrossEntropyWithLogits = (
  x: Tensor,
  target: Tensor,
  reduction: Reduction = 'mean',
): Tensor => aten.bceWithLogits(x, target, null, null, reductions[reduction])
