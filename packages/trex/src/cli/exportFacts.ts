import { basename, join, resolve } from 'node:path'
import { settingsYaml } from '../config.js'
import { withoutSecrets } from '../data/sources/httpUrl.js'
import type { CardFacts, TrainingFacts } from '../deploy/modelCard.js'
import { readResults } from '../suite/results.js'
import { type EpochRow, readMetrics } from '../train/metrics.js'
import type { Run } from '../train/run.js'
import type { FoundModel } from './findModel.js'

/** What the card of an exported model says beside what the model tells. */
export interface CardFlags {
  title?: string
  license?: string
  dataLicense?: string
  results?: string
}

/** Gathers it from a run and from the results of `trex transfer`. @throws TrexError when these cannot be read. */
export function cardFacts(path: string, { run, weights }: FoundModel, flags: CardFlags): CardFacts {
  const { title, license = null, dataLicense = null, results } = flags
  return {
    title: title ?? basename(resolve(path)),
    ...{ license, dataLicense },
    training: run && trainingFacts(run, weights),
    transfer: results === undefined ? null : transferFacts(results),
  }
}

/** Paths of this machine are left out. */
function trainingFacts({ dir, settings, data }: Run, weights: string | null): TrainingFacts {
  const initFrom = settings.initFrom && basename(withoutSecrets(settings.initFrom))
  const { classes, trainImages, valImages, images } = data
  return {
    recipe: settings.recipe,
    ...{ classes: classes.length, trainImages, valImages, fingerprint: images },
    settings: settingsYaml({ ...settings, initFrom }),
    validation: validationOf(dir, weights),
  }
}

/** The validation of the epoch that the weights are of: the best one, or the last. */
function validationOf(dir: string, weights: string | null): TrainingFacts['validation'] {
  const name = weights && basename(weights)
  if (resolve(weights ?? '') !== resolve(join(dir, 'checkpoints', name ?? ''))) return null
  const rows = readMetrics({ dir }).filter(
    (row): row is EpochRow & { top1: number; top5: number } =>
      row.kind === 'epoch' && row.top1 !== undefined && row.top5 !== undefined,
  )
  const row =
    name === 'best.safetensors'
      ? rows.reduce((best, one) => (one.top1 > best.top1 ? one : best), rows[0]!)
      : name === 'last.safetensors'
        ? rows.at(-1)
        : undefined
  return row ? { epoch: row.epoch + 1, top1: row.top1, top5: row.top5 } : null
}

function transferFacts(path: string): CardFacts['transfer'] {
  const { sets } = readResults(path)
  return {
    sets: sets.map(({ name, metric, seeds }) => ({
      name,
      metric: metric === 'top1' ? 'linear probe, top-1' : 'linear probe, mAP',
      score: seeds.reduce((sum, { score }) => sum + score, 0) / seeds.length,
    })),
  }
}
