import { PARTS, type Part } from '../deploy/deployedModel.js'
import { exportModel, type Format } from '../deploy/exportModel.js'
import { TrexError } from '../errors.js'
import { exportedModel, type Preparation } from './exportedModel.js'
import { findModel } from './findModel.js'
import { print } from './print.js'
import type { SettingFlags } from './settingFlags.js'

/** The options of `trex export` as commander gives them. */
export interface ExportFlags extends SettingFlags {
  format: Format
  out: string
  with?: string
  checkpoint?: string
  size?: number
  preparation: Preparation
  force?: boolean
  json?: boolean
}

/** Does what `trex export` was asked. */
export async function runExport(path: string, flags: ExportFlags): Promise<void> {
  const parts = partsOf(flags.with)
  const found = findModel(path, flags.checkpoint, flags)
  const model = exportedModel(path, found, flags)
  const { format, out, force = false } = flags
  const exported = await exportModel(model, { format, out, parts, force })
  await print(
    flags.json ? JSON.stringify({ model: path, format, ...exported }, null, 2) : exported.files.join('\n'),
  )
}

function partsOf(text: string | undefined): Part[] {
  const names = new Set(
    (text ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean),
  )
  for (const name of names)
    if (!PARTS.includes(name as Part))
      throw new TrexError(`--with ${name} is none of ${PARTS.join(', ')}`, {
        hint: 'as --with projector,prototypes',
      })
  return PARTS.filter((part) => names.has(part))
}
