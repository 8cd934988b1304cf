import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { removeTemporariesIn } from 'trex-torch/safetensors'
import type { BadImages } from '../data/loader/badImages.js'
import { TrexError } from '../errors.js'
import type { Settings } from '../settings.js'
import { saveBadImages } from './badImages.js'
import { shareCheckpoint } from './checkpoint.js'
import { NonFinite } from './failure.js'
import { hasFiniteState, hasFiniteWeights, type Learner } from './learner.js'
import { saveLearner } from './learnerCheckpoint.js'
import type { Position } from './position.js'
import { bestCheckpointPath, checkpointPath, type Run } from './run.js'

/** The checkpoints of a run: the last, the best, and those of every so many epochs. */
export interface Saves {
  /** Whether a checkpoint is due after so many steps of the run. */
  due(steps: number): boolean
  /** Saves the state in mid-epoch, unless it is saved. @throws TrexError, NonFinite; the last complete checkpoint is unharmed then. */
  save(position: Position): void
  /**
   * Saves the state at the end of an epoch, under all the names that it deserves; `last` comes last, so that a run which
   * is killed in between does the rest again. @throws TrexError as `save` does.
   */
  saveEpoch(position: Position, isBest: boolean): void
}

/**
 * Saves by the settings of a run that stands at `start` and whose lock is held, with its list of bad images; the clock
 * starts now.
 */
export function openSaves(run: Run, learner: Learner, bad: BadImages, start: Position): Saves {
  const { everySteps, everyMinutes, keepEvery, keep } = run.settings.checkpoints
  const folder = dirname(checkpointPath(run))
  mkdirSync(folder, { recursive: true }) // copies of runs may have lost it while it was empty
  removeTemporariesIn(folder)
  let savedAt = performance.now()
  let saved = start
  const write = (position: Position, [first, ...others]: readonly string[]) => {
    if (!hasFiniteState(learner)) throw new NonFinite(hasFiniteWeights(learner) ? 'state' : 'weights')
    saveBadImages(run, bad) // first, so that what is resumed leaves out the same
    saveLearner(first!, learner, position)
    for (const name of others) shareCheckpoint(first!, name)
    savedAt = performance.now()
    saved = position
  }
  return {
    due(steps) {
      if (everySteps !== null && steps % everySteps === 0) return true
      return everyMinutes !== null && performance.now() - savedAt >= everyMinutes * 60_000
    },
    save(position) {
      const done = saved.epoch === position.epoch && saved.batch === position.batch
      if (!done) write(position, [checkpointPath(run)])
    },
    saveEpoch(position, isBest) {
      const { epoch } = position // epochs that are done
      const kept = keepEvery !== null && epoch % keepEvery === 0 ? [epochCheckpointPath(run, epoch)] : []
      const best = isBest ? [bestCheckpointPath(run)] : []
      write(position, [...best, ...kept, checkpointPath(run)])
      if (keepEvery !== null) prune(run, keep)
    },
  }
}

/** The checkpoint kept after so many epochs. */
export const epochCheckpointPath = (run: Pick<Run, 'dir'>, epochs: number): string =>
  join(run.dir, 'checkpoints', `epoch-${String(epochs).padStart(4, '0')}.safetensors`)

/** Removes all but the newest `keep` checkpoints that were kept by epoch. */
function prune(run: Run, keep: Settings['checkpoints']['keep']): void {
  const folder = dirname(checkpointPath(run))
  const kept = readdirSync(folder).flatMap((name) => {
    const epochs = /^epoch-(\d+)\.safetensors$/.exec(name)?.[1]
    return epochs === undefined ? [] : [{ name, epochs: Number(epochs) }]
  })
  for (const { name } of kept.sort((a, b) => b.epochs - a.epochs).slice(keep)) {
    try {
      rmSync(join(folder, name), { force: true })
    } catch (cause) {
      throw new TrexError(
        `${join(folder, name)}, an old checkpoint, cannot be removed: ${(cause as Error).message}`,
        {
          hint: `make the folder writable, then continue with \`trex train --resume ${run.dir}\``,
          cause,
        },
      )
    }
  }
}
