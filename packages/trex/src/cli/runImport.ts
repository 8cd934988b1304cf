import { statSync } from 'node:fs'
import { writeSafetensors } from 'trex-torch/safetensors'
import { castTensor, isFloat } from '../checkpoints/castTensor.js'
import type { Checkpoint } from '../checkpoints/checkpoint.js'
import { describeEncoder } from '../checkpoints/describeEncoder.js'
import type { EncoderKind } from '../checkpoints/encoderKind.js'
import { describeReport, type EncoderReport } from '../checkpoints/encoderReport.js'
import { encoderWeights } from '../checkpoints/encoderWeights.js'
import { openFileSource } from '../checkpoints/fileSource.js'
import { DESCRIPTION_KEY, descriptionOf, type ModelDescription } from '../checkpoints/modelDescription.js'
import { openCheckpoint } from '../checkpoints/openCheckpoint.js'
import { TrexError } from '../errors.js'
import { print } from './print.js'
import { sizeText, treeText } from './treeText.js'

/** The options of `trex import` as commander gives them. */
export interface ImportFlags {
  out: string
  inspect?: boolean
  key?: string
  dtype?: 'float32' | 'float16' | 'bfloat16'
  imageSize?: number
  resize?: number
  filter?: 'bicubic' | 'bilinear'
  mean?: string
  std?: string
  pooling?: 'class' | 'mean'
  force?: boolean
  json?: boolean
}

const DTYPES = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' } as const
const FORMATS = { pytorch: 'PyTorch', safetensors: 'safetensors', npz: 'npz', onnx: 'ONNX' } as const

/** Does what `trex import` was asked; the engine is not needed. */
export async function runImport(path: string, flags: ImportFlags): Promise<void> {
  using source = openFileSource(path)
  const checkpoint = openCheckpoint(source)
  await print(flags.inspect ? inspected(checkpoint, flags) : imported(checkpoint, flags))
}

function inspected(checkpoint: Checkpoint, { json }: ImportFlags): string {
  const { name, size, format } = checkpoint
  const tree = checkpoint.tree()
  if (json) return JSON.stringify({ file: name, format, bytes: size, tree }, null, 2)
  return [`${name}: ${FORMATS[format]}, ${sizeText(size)}`, ...treeText(tree)].join('\n')
}

function imported(checkpoint: Checkpoint, flags: ImportFlags): string {
  const { dtype, out, force = false, json } = flags
  refuseExisting(out, force)
  const { weights, report } = encoderWeights(checkpoint, flags.key === undefined ? {} : { key: flags.key })
  const description = described(checkpoint, weights.kind, flags)
  const tensors = [...weights.tensors].map(([name, raw]) => {
    const { shape } = raw
    const type = dtype && isFloat(raw.dtype) ? DTYPES[dtype] : raw.dtype
    return { name, dtype: type, shape, data: () => (dtype ? castTensor(raw, DTYPES[dtype]) : raw).data }
  })
  try {
    writeSafetensors(out, tensors, { [DESCRIPTION_KEY]: JSON.stringify(description) })
  } catch (cause) {
    throw new TrexError((cause as Error).message, { cause, hint: 'choose another --out, or free some space' })
  }
  const types = [...new Set(tensors.map((tensor) => tensor.dtype))]
  if (!json) return text(report, description, out, types)
  return JSON.stringify({ out, format: checkpoint.format, types, report, description }, null, 2)
}

/** What is there may be the very file that is read, of which only the encoder would be left. */
function refuseExisting(out: string, force: boolean): void {
  const stats = statSync(out, { throwIfNoEntry: false })
  if (!stats || (force && stats.isFile())) return
  if (!stats.isFile())
    throw new TrexError(`${out} is there already, and is no file`, { hint: 'choose another --out' })
  throw new TrexError(`${out} is there already`, { hint: 'choose another --out, or replace it with --force' })
}

/** What the file says of itself, or its weights, and over both the flags. */
function described(checkpoint: Checkpoint, kind: EncoderKind, flags: ImportFlags): ModelDescription {
  const stored = descriptionOf(checkpoint)
  const { imageSize, resize, filter } = flags
  const own =
    imageSize === undefined
      ? stored?.preprocess
      : { ...stored?.preprocess, resize: imageSize, crop: imageSize }
  const [mean, std] = [channels('--mean', flags.mean), channels('--std', flags.std)]
  const size = imageSize ?? stored?.preprocess.crop ?? kind.imageSize
  if (size === null)
    throw new TrexError(`the weights in ${checkpoint.name} do not tell for which size of images they are`, {
      hint: 'give --image-size, as 32',
    })
  const given = { resize, filter, mean, std }
  const over = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const description = describeEncoder(kind, {
    imageSize: size,
    pooling: flags.pooling ?? stored?.vit?.pooling,
    preprocess: { ...own, ...over },
  })
  const { preprocess, vit } = description
  if (preprocess.resize < preprocess.crop)
    throw new TrexError(`--resize ${preprocess.resize} is below the image size ${preprocess.crop}`)
  if (vit && size % vit.patchSize !== 0)
    throw new TrexError(`images of ${size} px are not made of patches of ${vit.patchSize} px`)
  return description
}

function channels(flag: string, text: string | undefined): [number, number, number] | undefined {
  if (text === undefined) return undefined
  const values = text.split(',').map((part) => (part.trim() ? Number(part) : Number.NaN))
  if (values.length === 3 && values.every(Number.isFinite)) return values as [number, number, number]
  throw new TrexError(`${flag} ${text} is not three numbers`, { hint: `as ${flag} 0.5,0.5,0.5` })
}

function text(
  report: EncoderReport,
  { encoder, stem, vit, featureDim, preprocess }: ModelDescription,
  out: string,
  types: readonly string[],
): string {
  const kind = [encoder, stem === 'small' && 'small stem', vit && `patches of ${vit.patchSize} px`].filter(
    Boolean,
  )
  const { resize, crop, filter } = preprocess
  return [
    ...describeReport(report),
    `${out}: ${kind.join(', ')}, ${featureDim} features, ${types.join(' and ')}`,
    `  images: shortest side to ${resize} px (${filter}), the centred ${crop} px`,
  ].join('\n')
}
