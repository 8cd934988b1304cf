/** The interleaved run: A B C A B C ..., one long-lived child a side, never two computing at once. */
import { setTimeout as sleep } from 'node:timers/promises'
import { median } from './statistics.mjs'

/** Pause before each turn in ms, in which the last side's worker threads stop spinning. */
const SETTLE = 200

/**
 * @typedef {import('./child.mjs').Child} Child
 * @typedef {object} SideResult
 * @property {string} name
 * @property {import('./child.mjs').Hello} hello
 * @property {number[]} turns median seconds a step, one a round
 * @property {number[][]} seconds of every step, one list a round
 * @property {(number | null)[]} rssMiB resident memory after each turn
 * @property {number | null} peakMiB highest resident memory of the process (warm-up included)
 * @property {number} [gpuPeakMiB]
 * @property {number[]} [live] live tensors after each step
 * @property {number | null} loss of the last step
 */

/**
 * @param {{ name: string, child: Child }[]} sides ready and idle
 * @param {{ pairs: number, steps: number, warmup: number }} plan
 * @param {(line: string) => void} progress
 * @returns {Promise<SideResult[]>}
 */
export async function interleave(sides, { pairs, steps, warmup }, progress) {
  /** @type {SideResult[]} */
  const results = sides.map(({ name, child }) => ({
    name,
    hello: child.hello,
    turns: [],
    seconds: [],
    rssMiB: [],
    peakMiB: null,
    loss: null,
  }))
  for (const { child } of sides) if (warmup > 0) await child.go(warmup)

  for (let round = 0; round < pairs; round++) {
    for (const [i, { child }] of sides.entries()) {
      await sleep(SETTLE)
      record(results[i], await child.go(steps))
    }
    const turns = results.map(({ name, turns }) => `${name} ${(turns[round] * 1000).toPrecision(4)} ms`)
    progress(`round ${round + 1}/${pairs}: ${turns.join(', ')}`)
  }
  return results
}

/**
 * @param {SideResult} result
 * @param {import('./child.mjs').Answer} answer
 */
function record(result, answer) {
  result.seconds.push(answer.seconds)
  result.turns.push(median(answer.seconds))
  result.rssMiB.push(answer.rssMiB ?? null)
  result.peakMiB = answer.peakMiB ?? null
  result.loss = answer.loss ?? null
  if (answer.gpuPeakMiB !== undefined) result.gpuPeakMiB = answer.gpuPeakMiB
  if (answer.live) result.live = [...(result.live ?? []), ...answer.live]
}
