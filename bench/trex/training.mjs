/** What both training programs share: autocast, memory format and the optimizer with its weight-decay groups. */
import { autocast, SGD } from '../../packages/torch/dist/index.js'

/** @typedef {Record<string, any>} Settings */

/** What `trex train` calls the precision of a side; null is float32 throughout. */
export const DTYPES = {
  fp32: null,
  bf16: /** @type {const} */ ('bfloat16'),
  fp16: /** @type {const} */ ('float16'),
}

/**
 * Runs body under autocast to the side's precision, or as it is for fp32.
 * @template T
 * @param {Settings} settings
 * @param {() => T} body
 * @returns {T}
 */
export function inPrecision({ dtype, device }, body) {
  const half = DTYPES[/** @type {keyof typeof DTYPES} */ (dtype)]
  return half ? autocast({ device, dtype: half }, body) : body()
}

/**
 * Where weights and images go.
 * @param {Settings} settings
 * @returns {{ device: any, memoryFormat: 'channelsLast' | 'contiguous' }}
 */
export const placement = ({ device, layout }) => ({
  device,
  memoryFormat: layout === 'channels_last' ? 'channelsLast' : 'contiguous',
})

/**
 * SGD with momentum 0.9; weight decay 1e-4 on parameters of 2 or more dims, none on the rest.
 * @param {import('../../packages/torch/dist/index.js').Parameter[]} parameters
 * @param {Settings} settings
 */
export function sgd(parameters, { lr }) {
  const groups = [
    { params: parameters.filter((p) => p.dim >= 2), weightDecay: 1e-4 },
    { params: parameters.filter((p) => p.dim < 2), weightDecay: 0 },
  ]
  return new SGD(groups, { lr, momentum: 0.9 })
}
