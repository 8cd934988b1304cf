/** The child side of the benchmark protocol for trex: one JSON line when ready, then one for every 'go N'. */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import {
  engineInfo,
  getNumThreads,
  liveTensors,
  manualSeed,
  setCudnnBenchmark,
  setNumThreads,
  setTf32,
  synchronize,
} from '../../packages/torch/dist/index.js'

/**
 * The side's settings: one JSON object, the only argument. Sets threads and seed; on CUDA TF32 and cuDNN's search for the fastest.
 * @returns {Record<string, any>}
 */
export function options() {
  const settings = JSON.parse(process.argv[2])
  setNumThreads(settings.threads)
  manualSeed(settings.seed)
  if (String(settings.device).startsWith('cuda')) {
    setTf32(true)
    setCudnnBenchmark(true)
  }
  return settings
}

/**
 * VmHWM (peak) or VmRSS (now) of this process in MiB; null where there is no /proc.
 * @param {'VmHWM' | 'VmRSS'} field
 */
function processMiB(field) {
  try {
    const line = new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))
    return line ? Number(line[1]) / 1024 : null
  } catch {
    return null
  }
}

/**
 * Answers 'go N' with the seconds of N calls of step (which returns the loss) until stdin ends.
 * @param {Record<string, any>} settings
 * @param {() => number | null | Promise<number>} step
 */
export async function serve(settings, step) {
  const cuda = String(settings.device).startsWith('cuda')
  const answer = (/** @type {unknown} */ value) => process.stdout.write(`${JSON.stringify(value)}\n`)
  const { version, bf16, amx } = engineInfo()
  answer({ ready: { torch: version, threads: getNumThreads(), node: process.version, bf16, amx } })

  for await (const line of createInterface({ input: process.stdin })) {
    const seconds = []
    const live = []
    let loss = null
    for (let left = Number(line.split(' ')[1]); left > 0; left--) {
      if (cuda) synchronize()
      const start = performance.now()
      loss = await step()
      if (cuda) synchronize()
      seconds.push((performance.now() - start) / 1000)
      live.push(liveTensors())
    }
    answer({ seconds, loss, peakMiB: processMiB('VmHWM'), rssMiB: processMiB('VmRSS'), live })
  }
}
