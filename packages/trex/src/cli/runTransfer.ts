import { join } from 'node:path'
import { writeFileAtomic } from 'trex-torch/safetensors'
import { printable } from '../data/check/printable.js'
import type { ExtractionOptions } from '../features/index.js'
import { findSets } from '../suite/findSets.js'
import { formatGrid, type GridFormat } from '../suite/grid.js'
import type { TransferResults } from '../suite/results.js'
import { resultsGrid } from '../suite/resultsGrid.js'
import { runSuite } from '../suite/runSuite.js'
import { summarize } from '../suite/summary.js'
import { describeInit } from '../train/initFrom.js'
import { openEncoder } from '../train/openEncoder.js'
import { openDataWorkers } from '../train/reading.js'
import { checkWritable } from './evalFiles.js'
import { batchSizeFor, withExactFeatures } from './extractDefaults.js'
import { findModel } from './findModel.js'
import { followSuite } from './followSuite.js'
import { imageSizeFor } from './imageSize.js'
import { print } from './print.js'
import type { SettingFlags } from './settingFlags.js'
import { stopGently } from './stop.js'

/** The options of `trex transfer` as commander gives them. */
export interface TransferFlags extends SettingFlags {
  model: string
  root: string
  out: string
  only?: string[]
  seeds: number
  trials: number
  probeEpochs: number
  k: number
  compat?: boolean
  name?: string
  cache?: string
  checkpoint?: string
  size?: number
  format: GridFormat
  json?: boolean
}

/** Does what `trex transfer` was asked. */
export async function runTransfer(flags: TransferFlags): Promise<void> {
  const { out, cache = join(out, 'features') } = flags
  const model = findModel(flags.model, flags.checkpoint, withExactFeatures(flags))
  const { settings } = model
  const size = imageSizeFor(flags.model, model, flags.size)
  const { sets, passedOver } = await findSets(flags.root, flags.only)
  if (!flags.only)
    for (const { name, why } of passedOver) console.error(`${printable(name)} is left aside: ${why}`)
  checkWritable(out)
  checkWritable(cache, '--cache')
  using opened = openEncoder(settings, model.weights)
  if (opened.loaded && !model.run) for (const line of describeInit(opened.loaded)) console.error(line)
  await using pool = openDataWorkers(settings, { device: opened.precision.device })
  using stopping = stopGently()
  const extraction: ExtractionOptions = {
    ...{ size, pool, bad: settings.data, signal: stopping.signal },
    batchSize: batchSizeFor(flags, settings, opened.precision.device),
    normalization: settings.normalization,
    autoOrient: settings.data.autoOrient,
  }
  const results = await followSuite(
    runSuite({
      ...{ name: flags.name ?? flags.model, encoder: settings.encoder, opened, sets, out, cache, extraction },
      seeds: Array.from({ length: flags.seeds }, (_, i) => i + 1),
      ...{ trials: flags.trials, epochs: flags.probeEpochs, k: flags.k, compat: flags.compat === true },
    }),
    (results) => writeTables(out, results),
  )
  await print(
    flags.json
      ? JSON.stringify({ ...results, summary: summarize(results) }, null, 2)
      : `${printable(results.model.name)}\n\n${formatGrid(resultsGrid(results), flags.format)}${legend(results, flags)}`,
  )
}

function legend({ sets }: TransferResults, { format }: TransferFlags): string {
  const seeds = new Set(sets.map(({ seeds }) => seeds.length))
  const text = `± is the deviation over ${[...seeds].join(' or ')} seeds; --json has 95 % confidence intervals as well.`
  return [...seeds].every((n) => n === 1) ? '' : `\n${format === 'latex' ? '% ' : '\n'}${text}`
}

function writeTables(out: string, results: TransferResults): void {
  const grid = resultsGrid(results)
  const { name, encoder, fingerprint } = results.model
  const about = `${printable(name)}: ${encoder}, ${fingerprint.slice(0, 12)}`
  writeFileAtomic(join(out, 'results.md'), [Buffer.from(`${about}\n\n${formatGrid(grid, 'markdown')}\n`)])
  writeFileAtomic(join(out, 'results.tex'), [Buffer.from(`% ${about}\n${formatGrid(grid, 'latex')}\n`)])
}
