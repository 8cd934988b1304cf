import type { TransferResults } from '../suite/results.js'
import { percent } from '../suite/resultsGrid.js'
import type { SuiteEvent } from '../suite/runSuite.js'
import { summarizeSet } from '../suite/summary.js'
import { type Progress, startProgress } from './progress.js'
import { Stopped } from './stop.js'

/** Shows a suite as it goes: a bar for each extraction and search, a line for each set that is done. `onResult` is told all results then. */
export async function followSuite(
  events: AsyncGenerator<SuiteEvent, TransferResults, void>,
  onResult: (results: TransferResults) => void,
): Promise<TransferResults> {
  let progress: Progress | undefined
  let title = ''
  let began = performance.now()
  const show = (now: string, total: number, done: number) => {
    if (title === now) return progress!
    progress?.stop()
    title = now
    progress = startProgress(now, total, done)
    return progress
  }
  const end = () => {
    progress?.stop()
    progress = undefined
    title = ''
  }
  try {
    for (;;) {
      const { value: event, done } = await events.next()
      if (done) return event
      const at = `${event.name} (${event.set + 1}/${event.sets})`
      if (event.kind === 'features') {
        const { part, total, done, resumedAt } = event
        if (done === resumedAt) began = performance.now()
        const rate = (1000 * (done - resumedAt)) / Math.max(1, performance.now() - began)
        show(`${at} ${part}`, total, done).update(done, `${rate.toFixed(1)} img/s`)
      } else if (event.kind === 'trial') {
        const { seed, trial, trials, best } = event
        show(`${at} seed ${seed}`, trials, trial).update(trial + 1, `trials · best ${percent(best)} %`)
      } else if (event.kind === 'failed') {
        end()
        const { message, hint } = event.error
        console.error(`${at} failed: ${message}${hint ? `\nhint: ${hint}` : ''}`)
      } else {
        end()
        onResult(event.results)
        const { score, deviation, seeds } = summarizeSet(event.result)
        const spread = deviation === null ? '' : ` ± ${deviation.toFixed(2)}`
        const { leftOut } = event.result
        const without = leftOut > 0 ? `, ${leftOut} image${leftOut === 1 ? '' : 's'} left out` : ''
        const from = event.found ? ', was there already' : ''
        console.error(
          `${at}: ${percent(score)}${spread} % over ${seeds} seed${seeds === 1 ? '' : 's'}${without}${from}`,
        )
      }
    }
  } catch (error) {
    end()
    if (error instanceof Stopped) console.error('stopped: the same command goes on')
    throw error
  } finally {
    end()
  }
}
