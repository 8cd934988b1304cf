/** What a run says: one plain object (`--json`), or a table of it. */
import { cpus, loadavg } from 'node:os'
import { release } from './python.mjs'
import { pairRatios, summarise } from './statistics.mjs'

/** @typedef {import('./interleave.mjs').SideResult} SideResult */

/**
 * @param {string} name
 * @param {import('./benchmarks.mjs').Benchmark} benchmark
 * @param {SideResult[]} results
 * @param {{ side: string, why: string }[]} skipped
 * @param {number} load 1-minute load average before the run
 */
export function buildReport(name, benchmark, results, skipped, load) {
  const reference = results.find((result) => result.name === benchmark.sides[0])
  const others = results.filter((result) => result !== reference)
  return {
    benchmark: name,
    about: benchmark.about,
    date: new Date().toISOString(),
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version, load },
    settings: benchmark.settings,
    plan: { pairs: benchmark.pairs, steps: benchmark.steps, warmup: benchmark.warmup },
    sides: results.map((result) => ({ ...result, secondsPerStep: summarise(result.turns) })),
    ratios: reference ? others.map((other) => ratio(other, reference)) : [],
    skipped,
    notes: notes(results, load),
  }
}

/**
 * @param {SideResult} other
 * @param {SideResult} reference
 */
function ratio(other, reference) {
  return {
    of: other.name,
    to: reference.name,
    time: pairRatios(other.turns, reference.turns),
    peakMemory: reference.peakMiB && other.peakMiB ? reference.peakMiB / other.peakMiB : null,
  }
}

/**
 * What makes the numbers less comparable than they look.
 * @param {SideResult[]} results
 * @param {number} load
 */
function notes(results, load) {
  const versions = new Set(results.map(({ hello }) => release(hello.torch ?? 'unknown')))
  const threads = new Set(results.map(({ hello }) => hello.threads))
  return [
    ...(versions.size > 1 ? [`libtorch versions differ: ${[...versions].join(', ')}`] : []),
    ...(threads.size > 1 ? [`numbers of threads differ: ${[...threads].join(', ')}`] : []),
    ...(load > 0.5
      ? [`the machine was busy before the run (load ${load.toFixed(1)}): times mean little`]
      : []),
  ]
}

/** @returns {number} 1-minute load average */
export const machineLoad = () => loadavg()[0]

/**
 * @param {ReturnType<typeof buildReport>} report
 * @returns {string}
 */
export function formatReport(report) {
  const { settings, plan } = report
  const unit = stepUnit(settings)
  const lines = [
    '',
    `${report.benchmark}: ${report.about}`,
    `  ${describe(settings)}`,
    `  ${plan.pairs} rounds of ${plan.steps} steps a side, ${plan.warmup} to warm up, ${report.machine.cpu}`,
    ...(report.sides.length
      ? ['', row(['side', 'libtorch', unit.name, 'min..max', unit.rateName, 'peak MiB', 'loss'])]
      : []),
    ...report.sides.map((side) => {
      const { median, min, max } = side.secondsPerStep
      return row([
        side.name,
        side.hello.torch ?? '',
        unit.time(median),
        `${unit.time(min)}..${unit.time(max)}`,
        unit.rate(median),
        side.peakMiB?.toFixed(0) ?? '',
        side.loss?.toFixed(3) ?? '',
      ])
    }),
    '',
    ...report.ratios.map(({ of, to, time, peakMemory }) => {
      const memory = peakMemory ? `; peak memory ${to} / ${of} = ${peakMemory.toFixed(2)}` : ''
      return `  time ${of} / ${to} = ${time.median.toFixed(2)} [${time.min.toFixed(2)}..${time.max.toFixed(2)}]${memory}`
    }),
    ...report.sides.flatMap((side) => (side.live ? [liveLine(side)] : [])),
    ...(report.benchmark === 'memory' ? report.sides.map((side) => residentLine(side, plan.steps)) : []),
    ...report.skipped.map(({ side, why }) => `  ${side} skipped: ${why}`),
    ...report.notes.map((note) => `  note: ${note}`),
  ]
  return lines.join('\n')
}

/** @param {string[]} cells */
const row = ([first, ...rest]) => `  ${first.padEnd(22)}${rest.map((cell) => cell.padStart(18)).join('')}`

/** @param {Record<string, unknown>} settings */
const describe = (settings) =>
  Object.entries(settings)
    .filter(([, value]) => typeof value !== 'object')
    .map(([key, value]) => `${key} ${value}`)
    .join(', ')

/**
 * How a step's time reads: microseconds a call, or milliseconds a step and images a second.
 * @param {Record<string, unknown>} settings
 */
function stepUnit({ calls, batch }) {
  return typeof calls === 'number'
    ? {
        name: 'us/call',
        rateName: 'calls/s',
        time: (/** @type {number} */ s) => ((s * 1e6) / calls).toFixed(3),
        rate: (/** @type {number} */ s) => (calls / s).toFixed(0),
      }
    : {
        name: 'ms/step',
        rateName: 'images/s',
        time: (/** @type {number} */ s) => (s * 1e3).toFixed(1),
        rate: (/** @type {number} */ s) => (Number(batch) / s).toFixed(2),
      }
}

/** @param {SideResult} side */
function liveLine({ name, live = [] }) {
  const { min, max } = summarise(live)
  return `  ${name}: live tensors after each of ${live.length} steps ${min === max ? `${min}, constant` : `${min}..${max}`}`
}

/**
 * Resident memory after a quarter of the steps and after all of them (500 and 2,000 by default).
 * @param {SideResult} side
 * @param {number} steps a turn
 */
function residentLine({ name, rssMiB }, steps) {
  const at = (/** @type {number} */ turn) =>
    `${rssMiB[turn - 1]?.toFixed(0) ?? '?'} MiB after ${turn * steps} steps`
  return `  ${name}: resident ${at(Math.ceil(rssMiB.length / 4))}, ${at(rssMiB.length)}`
}
