import { PARTS, type Part } from '../deploy/deployedModel.js'
import { type Exported, exportModel, type Format, isGraph } from '../deploy/exportModel.js'
import { type GraphPrecision, PRECISIONS } from '../deploy/exportOnnx.js'
import { TrexError } from '../errors.js'
import { calibration, verification } from './exportChecks.js'
import { exportedModel, type Preparation } from './exportedModel.js'
import { type CardFlags, cardFacts } from './exportFacts.js'
import { CALIBRATING, comparing, graphImages } from './exportImages.js'
import { findModel } from './findModel.js'
import { print } from './print.js'
import type { SettingFlags } from './settingFlags.js'
import { onStop } from './stop.js'

/** The options of `trex export` as commander gives them. */
export interface ExportFlags extends Omit<SettingFlags, 'precision'>, CardFlags {
  format: Format
  out: string
  with?: string
  checkpoint?: string
  size?: number
  preparation: Preparation
  precision?: string
  images?: string
  calibrate?: string
  unverified?: boolean
  force?: boolean
  json?: boolean
}

/** Does what `trex export` was asked. */
export async function runExport(path: string, { precision, ...flags }: ExportFlags): Promise<void> {
  const { format, out, checkpoint, force = false } = flags
  const parts = listed(flags.with, PARTS, '--with')
  const precisions = listed(precision, PRECISIONS, '--precision')
  refuseMisplaced(format, { ...flags, precision })
  const found = findModel(path, checkpoint, flags)
  const card = cardFacts(path, found, flags)
  const model = exportedModel(path, found, flags)
  const verified = isGraph(format) && !flags.unverified
  const int8 = precisions.includes('int8')
  const images = verified ? await graphImages(path, found, flags.images, comparing(int8)) : null
  const calibrated = int8 && flags.calibrate !== 'none'
  const ranges = calibrated ? await graphImages(path, found, flags.calibrate, CALIBRATING) : null
  const release = onStop(() => console.error(`stopped: nothing was written to ${out}`))
  const exported = await exportModel(model, {
    ...{ format, out, parts, card, force },
    precisions: precisions.length ? precisions : ['fp32' as const],
    calibration: ranges && (await calibration(found, model, ranges)),
    verification: images && (await verification(path, found, model, images, checkpoint)),
  }).finally(release)
  await print(flags.json ? JSON.stringify({ model: path, format, ...exported }, null, 2) : text(exported))
}

/** Flags that have no meaning for a format are errors: whoever gives them expects something. */
function refuseMisplaced(
  format: Format,
  flags: Pick<ExportFlags, 'precision' | 'images' | 'calibrate' | 'unverified'>,
): void {
  const [name] = (['precision', 'images', 'calibrate', 'unverified'] as const).filter(
    (name) => flags[name] !== undefined,
  )
  if (name && !isGraph(format))
    throw new TrexError(`--${name} is for graphs, and ${format} is weights as they are`, {
      hint: 'leave it out, or choose --format onnx or transformers.js',
    })
  if (flags.calibrate !== undefined && !flags.precision?.includes('int8'))
    throw new TrexError('--calibrate is for --precision int8', { hint: 'leave it out, or add that' })
  if (flags.images !== undefined && flags.unverified)
    throw new TrexError('--images and --unverified contradict each other', { hint: 'leave one out' })
}

/** The names in a list with commas, in the order of `known`. */
function listed<T extends Part | GraphPrecision>(text = '', known: readonly T[], flag: string): T[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  for (const name of names)
    if (!known.includes(name as T))
      throw new TrexError(`${flag} ${name} is none of ${known.join(', ')}`, {
        hint: 'put commas between several',
      })
  return known.filter((name) => names.includes(name))
}

function text({ files, verified }: Exported): string {
  const lines = verified.map(({ file, precision, report }) => {
    if (!report) return `${file} (${precision}): not verified`
    const worst = Math.max(...Object.values(report.outputs).map(({ maxRelativeError }) => maxRelativeError))
    const agreement = `${(100 * report.neighbourAgreement).toFixed(1)} % keep their nearest neighbour`
    return `${file} (${precision}): off by at most ${worst.toExponential(1)} of the largest value on ${report.images} images, ${agreement}`
  })
  return [...files, ...lines].join('\n')
}
