import type { DatasetReport } from '../data/check/datasetReport.js'
import { formatReport } from '../data/check/formatReport.js'
import { scanDataset } from '../data/check/scanDataset.js'
import { withoutSecrets } from '../data/sources/httpUrl.js'
import { sourceOf } from '../data/sources/openDataset.js'
import type { ImageDataset } from '../data/sources/sample.js'
import { TREX } from '../recipes.js'
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
