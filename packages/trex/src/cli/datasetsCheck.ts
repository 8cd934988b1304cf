import { existsSync } from 'node:fs'
import type { DatasetReport } from '../data/check/datasetReport.js'
import { formatReport } from '../data/check/formatReport.js'
import { scanDataset } from '../data/check/scanDataset.js'
import { withoutSecrets } from '../data/sources/httpUrl.js'
import { sourceOf } from '../data/sources/openDataset.js'
import type { ImageDataset } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import { TREX } from '../recipes.js'
import { TRANSFER_SETS, type TransferData } from '../transfer/datasets/index.js'
import { knownSet } from './knownSet.js'
import { print } from './print.js'
import { startProgress } from './progress.js'
import { onStop } from './stop.js'

/** The options of `trex datasets check` as commander gives them. */
export interface CheckFlags {
  json?: boolean
  quick?: boolean
  valFraction?: number
  seed?: number
}

/** Does what `trex datasets check` was asked; the exit code is 1 when the data are not well. */
export async function checkDataset(data: string, flags: CheckFlags): Promise<void> {
  if (!existsSync(data) && TRANSFER_SETS.some(({ name }) => name === data))
    throw new TrexError(`${data} is a known data set: say where its files are`, {
      hint: `trex datasets check ${data} ROOT (trex datasets how ${data} says what ROOT should hold)`,
    })
  const source = await sourceOf(data)
  const dataset = await source.open({
    valFraction: flags.valFraction ?? TREX.validation.fraction,
    seed: flags.seed ?? TREX.seed,
  })
  const report = await scan(dataset, flags.quick === true)
  const kind = source.kind
  await print(
    flags.json
      ? JSON.stringify({ data: withoutSecrets(data), source: kind, ...report }, null, 2)
      : formatReport(report, kind),
  )
  if (!report.ok) process.exitCode = 1
}

/**
 * Does what `trex datasets check NAME ROOT` was asked: the published counts are checked as well, and every image that the
 * lists name. Images that the publisher has in both parts are told, but are not held against the copy.
 */
export async function checkKnownSet(name: string, root: string, flags: CheckFlags): Promise<void> {
  const set = knownSet(name)
  if (flags.valFraction !== undefined || flags.seed !== undefined)
    throw new TrexError(`the split of ${name} is given: --val-fraction and --seed do not apply`, {
      hint: `its parts are: ${set.split}`,
    })
  const data = await set.open(root)
  const { classes, trainval, test } = data
  const scanned = await scan({ classes, train: trainval, val: test, ignored: {} }, flags.quick === true)
  const report = { ...scanned, ...countTargets(data), ok: scanned.unreadable.length === 0 }
  await print(
    flags.json
      ? JSON.stringify({ set: name, root, ...report }, null, 2)
      : formatReport(report, `${set.title} (train is its trainval part, val its test part)`),
  )
  if (!report.ok) process.exitCode = 1
}

/** In multi-label sets an image counts for each of its classes. */
function countTargets({ classes, targets }: TransferData): Partial<DatasetReport> {
  if (!targets) return {}
  const count = (part: Uint8Array, label: number) => {
    let images = 0
    for (let at = label; at < part.length; at += classes.length) images += part[at]!
    return images
  }
  const counts = classes.map((name, label) => ({
    name,
    train: count(targets.trainval, label),
    val: count(targets.test, label),
  }))
  const bySize = [...counts].sort((a, b) => a.train + a.val - b.train - b.val)
  return { classes: counts, smallestClass: bySize[0] ?? null, largestClass: bySize.at(-1) ?? null }
}

/** Scans with a bar on stderr; Ctrl-C says how far it came. */
async function scan(dataset: ImageDataset, quick: boolean): Promise<DatasetReport> {
  const total = dataset.train.length + dataset.val.length
  const progress = startProgress('check', total)
  const began = performance.now()
  let checked = 0
  const release = onStop(() => console.error(`stopped: ${checked} of ${total} images were checked`))
  try {
    return await scanDataset(dataset, {
      quick,
      onProgress(done) {
        checked = done
        progress.update(done, `${((done / (performance.now() - began)) * 1000).toFixed(0)} images/s`)
      },
    })
  } finally {
    progress.stop()
    release()
  }
}
