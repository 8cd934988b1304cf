import { basename, dirname, join } from 'node:path'
import { writeFileAtomic, writeSafetensors } from 'trex-torch/safetensors'
import { DESCRIPTION_KEY } from '../checkpoints/modelDescription.js'
import type { DeployedModel, Part } from './deployedModel.js'
import { publish } from './publish.js'
import { type Names, stateDict } from './stateDict.js'
import { timmConfig } from './timm.js'
import { writePth } from './writePth.js'

/** What an export is for. */
export const FORMATS = ['safetensors', 'torchvision', 'onnx', 'transformers.js', 'timm'] as const
export type Format = (typeof FORMATS)[number]

/** What to export, and where. */
export interface ExportRequest {
  readonly format: Format
  /** A file, where the name ends as the format's files do, else a folder with the model's card. */
  readonly out: string
  readonly parts: readonly Part[]
  /** Replace an older export. */
  readonly force: boolean
}

/** The files of an export. */
export interface Exported {
  readonly files: readonly string[]
}

const ENDINGS: Partial<Record<Format, string>> = {
  safetensors: '.safetensors',
  torchvision: '.pth',
  onnx: '.onnx',
}

/**
 * Writes a model for another program. Rejects with TrexError when the format has no place for what is asked, something
 * is there already, or it cannot be written; nothing new is left then.
 */
export async function exportModel(model: DeployedModel, request: ExportRequest): Promise<Exported> {
  const { format, out, parts, force } = request
  const ending = ENDINGS[format]
  const isFile = ending !== undefined && out.toLowerCase().endsWith(ending)
  const name = isFile ? basename(out) : `model${ending ?? '.safetensors'}`
  const files = isFile ? [name] : undefined
  return publish(out, { ...(files && { files }), force }, (folder) => {
    const written = WRITERS[format](model, parts, join(folder, name))
    return { files: isFile ? [out] : written.map((file) => join(out, file)) }
  })
}

const WRITERS: Record<Format, (model: DeployedModel, parts: readonly Part[], file: string) => string[]> = {
  safetensors: (model, parts, file) => safetensors(model, parts, file, 'trex'),
  torchvision(model, parts, file) {
    writePth(file, stateDict(model, parts, 'torchvision'))
    return [basename(file)]
  },
  timm(model, parts, file) {
    const config = timmConfig(model, parts)
    writeJson(join(dirname(file), 'config.json'), config)
    return ['config.json', ...safetensors(model, parts, file, 'timm')]
  },
  onnx: () => [],
  'transformers.js': () => [],
}

function safetensors(model: DeployedModel, parts: readonly Part[], file: string, names: Names): string[] {
  const { classes } = model.heads
  const description = {
    ...model.description,
    ...(parts.some((part) => part !== 'projector') && classes && { classes }),
  }
  // Hugging Face's readers want to know of which framework the tensors are.
  const metadata = { format: 'pt', [DESCRIPTION_KEY]: JSON.stringify(description) }
  writeSafetensors(file, stateDict(model, parts, names), metadata)
  return [basename(file)]
}

const writeJson = (file: string, value: object) =>
  writeFileAtomic(file, [new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)])
