import { type Device, type DType, fromTypedArray, full, inPlaceOp, type Tensor, tidy } from 'trex-torch'

import { times, transposedTimes } from './narrowProducts.js'

const scatterAdd = inPlaceOp('aten::scatter_add_')

/** Settings of `sgdFit`. */
export interface SgdFitOptions {
  readonly lr: number
  /** Of weights and biases alike. */
  readonly weightDecay: number
  readonly epochs: number
  /** Rows a step; of fewer rows all, and the last step of an epoch takes what is left. */
  readonly batch: number
  /** The order of the rows in an epoch, from 0. */
  order(epoch: number): Uint32Array
  /** Of the matrix products; weights, probabilities and sums are float32 (default). */
  readonly products?: DType
  /** The published evaluation's schedule, one epoch late: the second epoch still has the full rate. */
  readonly lateSchedule?: boolean
}

/** How an epoch went. */
export interface SgdEpoch {
  readonly epoch: number
  readonly lr: number
  /** The mean cross-entropy of each step. */
  readonly losses: readonly number[]
}

const MOMENTUM = 0.9

/** The rate of an epoch: lr / 2 (1 + cos(pi epoch / epochs)), never quite 0. */
export const cosineRate = (lr: number, epoch: number, epochs: number) =>
  (lr / 2) * (1 + Math.cos((Math.PI * epoch) / epochs))

/**
 * Trains softmax regression in place by SGD with momentum 0.9: theta [d + 1, C], the bias row last, on rows x
 * [n, d + 1] that end with a one. The gradient is written out: x^T (p - one-hot(y)) / batch. Yields after every epoch;
 * returns false as soon as a loss is not finite, with theta as it was before that step.
 */
export function* sgdFit(
  x: Tensor,
  labels: Int32Array,
  theta: Tensor,
  options: SgdFitOptions,
): Generator<SgdEpoch, boolean> {
  const { epochs, weightDecay, products = 'float32', lateSchedule = false } = options
  const n = labels.length
  const batch = Math.min(options.batch, n)
  const { device } = theta
  const momentum = full(theta.shape, 0, { device }).persist()
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const lr = cosineRate(options.lr, lateSchedule ? Math.max(0, epoch - 1) : epoch, epochs)
      const order = options.order(epoch)
      const losses: number[] = []
      for (let at = 0; at < n; at += batch) {
        const rows = order.subarray(at, at + batch)
        losses.push(step(x, labels, rows, theta, momentum, { lr, weightDecay, products }))
        if (!Number.isFinite(losses.at(-1)!)) {
          yield { epoch, lr, losses }
          return false
        }
      }
      yield { epoch, lr, losses }
    }
    return true
  } finally {
    momentum.dispose()
  }
}

/** One step; returns its loss, and changes nothing when that is not finite. */
function step(
  x: Tensor,
  labels: Int32Array,
  rows: Uint32Array,
  theta: Tensor,
  momentum: Tensor,
  { lr, weightDecay, products }: { lr: number; weightDecay: number; products: DType },
): number {
  return tidy(() => {
    const { device } = theta
    const inputs = x.indexSelect(0, indices(rows, device)) // [B, d + 1]
    const y = indices(
      Int32Array.from(rows, (row) => labels[row]!),
      device,
    ).unsqueeze(1) // [B, 1]
    const logits = times(inputs, theta.to(products)).to('float32') // [B, C]
    const logP = logits.logSoftmax(1)
    const loss = -logP.gather(1, y).mean().item()
    if (!Number.isFinite(loss)) return loss
    const residual = scatterAdd(logP.exp(), 1, y, full([rows.length, 1], -1, { device })) // p - one-hot(y)
    const gradient = transposedTimes(inputs, residual.to(products)).to('float32') // [d + 1, C]
    momentum
      .mul_(MOMENTUM)
      .add_(gradient, 1 / rows.length)
      .add_(theta, weightDecay)
    theta.add_(momentum, -lr)
    return loss
  })
}

const indices = (values: Uint32Array | Int32Array, device: Device): Tensor =>
  fromTypedArray(BigInt64Array.from(values, BigInt), [values.length], { device })
