import { autocast, F, type Tensor } from 'trex-torch'

/**
 * The logits of the cosine softmax (Eq. 1 and 2): cos(z_j, p_c) / temperature, in float32 even under mixed precision.
 * A prototype of zeros (a class not seen yet) has logit 0.
 * @param z embeddings [N, D]
 * @param prototypes rows of unit norm [C, D]
 * @returns [N, C]
 */
export function cosineLogits(z: Tensor, prototypes: Tensor, temperature: number): Tensor {
  return inFullPrecision(z, (exact) => F.normalize(exact).matmul(prototypes.t()).div(temperature))
}

/** Plain linear logits z W^T, in float32 even under mixed precision. [N, D], [C, D] -> [N, C] */
export function linearLogits(z: Tensor, weight: Tensor): Tensor {
  return inFullPrecision(z, (exact) => exact.matmul(weight.t()))
}

function inFullPrecision(z: Tensor, body: (z: Tensor) => Tensor): Tensor {
  const device = z.device.startsWith('cuda') ? 'cuda' : 'cpu'
  return autocast({ device, enabled: false }, () => body(z.dtype === 'float64' ? z : z.to('float32')))
}
