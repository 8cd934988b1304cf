import { print } from './print.js'
import { findRuns } from './runsFind.js'
import { type RunSummary, summarizeRun } from './runsSummary.js'
import { formatRuns } from './runsTable.js'

/** The options of `trex runs` as commander gives them. */
export interface RunsFlags {
  sort: 'name' | 'best'
  json?: boolean
}

/** Does what `trex runs` was asked. */
export async function runRuns(dir: string, { sort, json }: RunsFlags): Promise<void> {
  const runs = findRuns(dir).map(({ name, path }) => summarizeRun(name, path))
  if (sort === 'best') runs.sort(byBest)
  if (json) return print(JSON.stringify(runs, null, 2))
  if (runs.length === 0) console.error(`there are no runs in ${dir}`)
  else await print(formatRuns(runs))
}

/** The best validation top-1 first; runs without one last, by name as they come. */
const byBest = (a: RunSummary, b: RunSummary) => (b.best?.top1 ?? -1) - (a.best?.top1 ?? -1)
