import { mkdirSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { writeFileAtomic, writeSafetensors } from 'trex-torch/safetensors'
import { DESCRIPTION_KEY } from '../checkpoints/modelDescription.js'
import { TrexError } from '../errors.js'
import type { DeployedModel, Part } from './deployedModel.js'
import {
  type Calibration,
  type GraphPrecision,
  type Verification,
  type VerifiedGraph,
  verifiedGraph,
} from './exportOnnx.js'
import { type CardFacts, modelCard, type VerifiedFile } from './modelCard.js'
import { publish } from './publish.js'
import { type Names, stateDict } from './stateDict.js'
import { timmConfig } from './timm.js'
import { transformersJsFiles } from './transformersJs.js'
import { writePth } from './writePth.js'

/** What an export is for. */
export const FORMATS = ['safetensors', 'torchvision', 'onnx', 'transformers.js', 'timm'] as const
export type Format = (typeof FORMATS)[number]

/** Formats that are graphs. */
export const isGraph = (format: Format): boolean => format === 'onnx' || format === 'transformers.js'

/** What to export, and where. */
export interface ExportRequest {
  readonly format: Format
  /** A file, where the name ends as the format's files do, else a folder with the model's card. */
  readonly out: string
  readonly parts: readonly Part[]
  /** Of graphs; several only of transformers.js, whose users choose. */
  readonly precisions: readonly GraphPrecision[]
  /** What graphs are compared with; null: they are written unseen. */
  readonly verification: Verification | null
  /** Of int8 graphs; null: their weights alone are int8. */
  readonly calibration: Calibration | null
  readonly card: CardFacts
  /** Replace an older export. */
  readonly force: boolean
}

/** The files of an export, and how its graphs were verified. */
export interface Exported {
  readonly files: readonly string[]
  readonly verified: readonly VerifiedFile[]
}

const ENDINGS = {
  safetensors: '.safetensors',
  torchvision: '.pth',
  onnx: '.onnx',
  timm: null,
  'transformers.js': null,
}

/**
 * Writes a model for another program. Rejects with TrexError when the format has no place for what is asked, a graph is
 * not what it should be, something is there already, or it cannot be written; nothing new is left then.
 */
export async function exportModel(model: DeployedModel, request: ExportRequest): Promise<Exported> {
  const { format, out, parts, force } = request
  const ending = ENDINGS[format]
  const isFile = ending !== null && out.toLowerCase().endsWith(ending)
  refuseOtherEnding(format, out, isFile)
  const name = isFile ? basename(out) : `model${ending ?? '.safetensors'}`
  const withReport = isGraph(format) && request.verification !== null
  const files = [...(withReport ? [reportName(name)] : []), name]
  return publish(out, { ...(isFile && { files }), force }, async (folder) => {
    const written = await WRITERS[format](model, request, join(folder, name))
    if (!isFile)
      writeText(join(folder, 'README.md'), modelCard(model, format, parts, request.card, written.verified))
    const paths = (isFile ? written.files : [...written.files, join(folder, 'README.md')]).map((file) =>
      join(isFile ? dirname(out) : out, relative(folder, file)),
    )
    return { ...written, files: paths }
  })
}

/** A folder with the name of a file, as for `--format onnx --out a.pth`, is not what anyone means. */
function refuseOtherEnding(format: Format, out: string, isFile: boolean): void {
  const other = Object.values(ENDINGS).find((ending) => ending && out.toLowerCase().endsWith(ending))
  if (isFile || !other) return
  throw new TrexError(`--out ${out} ends as files of another format than ${format} do`, {
    hint: `call it ${ENDINGS[format] ? `...${ENDINGS[format]}, or` : ''} without ${other}: it becomes a folder`,
  })
}

/** Writes the files of a format beside `file`. */
type Writer = (model: DeployedModel, request: ExportRequest, file: string) => Exported | Promise<Exported>

const WRITERS: Record<Format, Writer> = {
  safetensors: (model, { parts }, file) => writeTensors(model, parts, file, 'trex'),
  torchvision(model, { parts }, file) {
    writePth(file, stateDict(model, parts, 'torchvision'))
    return { files: [file], verified: [] }
  },
  timm(model, { parts }, file) {
    const config = join(dirname(file), 'config.json')
    writeJson(config, timmConfig(model, parts))
    const { files } = writeTensors(model, parts, file, 'timm')
    return { files: [config, ...files], verified: [] }
  },
  async onnx(model, { parts, precisions, verification, calibration }, file) {
    const [precision, another] = precisions
    if (!precision || another)
      throw new TrexError('an ONNX file is of one precision', { hint: 'export each to a file of its own' })
    return writeGraph(model, { parts, precision, layout: 'trex', verification, calibration }, file)
  },
  async 'transformers.js'(model, { parts, precisions, verification, calibration }, file) {
    if (parts.length)
      throw new TrexError(`the pipeline image-feature-extraction has no place for ${parts.join(', ')}`, {
        hint: 'export it with --format onnx, or leave out --with',
      })
    const folder = dirname(file)
    const { config, preprocessor } = transformersJsFiles(model.description)
    const texts = [join(folder, 'config.json'), join(folder, 'preprocessor_config.json')] as const
    writeJson(texts[0], config)
    writeJson(texts[1], preprocessor)
    const written: Exported[] = []
    for (const precision of precisions) {
      const graph = join(folder, 'onnx', `model${SUFFIXES[precision]}.onnx`)
      const request = { parts, precision, layout: 'transformers.js', verification, calibration } as const
      written.push(await writeGraph(model, request, graph))
    }
    const verified = written.flatMap((one) => one.verified)
    return {
      files: [...texts, ...written.flatMap(({ files }) => files)],
      verified: verified.map((one) => ({ ...one, file: `onnx/${one.file}` })),
    }
  },
}

/** What transformers.js appends to names for each of its dtypes. */
const SUFFIXES: Record<GraphPrecision, string> = { fp32: '', fp16: '_fp16', int8: '_quantized' }

const reportName = (name: string) => name.replace(/(\.onnx)?$/i, '.verify.json')

async function writeGraph(
  model: DeployedModel,
  request: Parameters<typeof verifiedGraph>[1],
  file: string,
): Promise<Exported> {
  const { bytes, report } = await verifiedGraph(model, request)
  mkdirSync(dirname(file), { recursive: true })
  writeFileAtomic(file, [bytes])
  const verified = [{ file: basename(file), precision: request.precision, report }]
  if (!report) return { files: [file], verified }
  const beside = reportName(file)
  writeJson(beside, report satisfies VerifiedGraph)
  return { files: [file, beside], verified }
}

function writeTensors(model: DeployedModel, parts: readonly Part[], file: string, names: Names): Exported {
  const { classes } = model.heads
  const named = classes && parts.some((part) => part !== 'projector')
  const description = { ...model.description, ...(named && { classes }) }
  // Hugging Face's readers want to know of which framework the tensors are.
  const metadata = { format: 'pt', [DESCRIPTION_KEY]: JSON.stringify(description) }
  writeSafetensors(file, stateDict(model, parts, names), metadata)
  return { files: [file], verified: [] }
}

const writeText = (file: string, text: string) => writeFileAtomic(file, [new TextEncoder().encode(text)])
const writeJson = (file: string, value: object) => writeText(file, `${JSON.stringify(value, null, 2)}\n`)
