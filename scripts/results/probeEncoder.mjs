/** Linear probes on an encoder's frozen features, the same for every encoder whatever program trained it. */
import { extractFeatures, meanLogOdds, probe } from '../../packages/trex/dist/transfer/index.js'

/** Strengths of regularisation that a probe tries: one a decade. */
export const PROBE = { trials: 6, cRange: /** @type {const} */ ([1e-4, 10]) }

/**
 * Top-1 (per cent) of a linear probe on each set, the strength C that it chose, and the mean of the log odds.
 * @param {import('../../packages/trex/dist/method/index.js').Encoder} encoder
 * @param {import('./imageSets.mjs').ProbeSet[]} sets
 * @param {{ size: number, seed: number, precision: any }} options size: side of the images in pixels
 */
export async function probeEncoder(encoder, sets, { size, seed, precision }) {
  /** @type {Record<string, number>} */
  const top1 = {}
  /** @type {Record<string, number>} */
  const strengths = {}
  for (const { name, train, test } of sets) {
    const features = (/** @type {typeof train} */ samples) =>
      extractFeatures(encoder, samples, {
        transform: { resize: size, crop: size, filter: 'bicubic' },
        batchSize: 64,
        workers: 1,
        precision,
        channelsLast: true,
      })
    const result = probe(await features(train), await features(test), { seed, ...PROBE })
    top1[name] = result.top1
    strengths[name] = result.C
  }
  const n = sets.map(({ test }) => test.length)
  return { top1, strengths, meanLogOdds: meanLogOdds(Object.values(top1), { n }) }
}
