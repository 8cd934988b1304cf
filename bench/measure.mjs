/** One benchmark from its start to its report: what the programs of this folder share. */
import { interleave } from './interleave.mjs'
import { buildReport, machineLoad } from './report.mjs'
import { startSides } from './startSides.mjs'

const progress = (/** @type {string} */ line) => process.stderr.write(`  ${line}\n`)

/**
 * Starts the sides, has them take turns, and ends them.
 * @param {string} name
 * @param {import('./benchmarks.mjs').Benchmark} benchmark
 */
export async function measure(name, benchmark) {
  const load = machineLoad()
  progress(`${name}: starting ${benchmark.sides.join(', ')}`)
  const { ready, skipped } = await startSides(benchmark)
  const results = ready.length ? await interleave(ready, benchmark, progress) : []
  await Promise.all(ready.map(({ child }) => child.quit()))
  return { results, report: buildReport(name, benchmark, results, skipped, load) }
}
