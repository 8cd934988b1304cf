import { existsSync, readFileSync } from 'node:fs'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import type { EmbedPrecision, LoadOptions } from '../embed/loadEncoder.js'
import type { Preprocess } from '../embed/model.js'
import { wholeNumber } from './number.js'

/** What MODEL may be, for `--help`. */
export const MODEL_HELP =
  'weights (.pth, .safetensors, .npz), an ONNX file, a run folder, or a folder in the layout of transformers.js'

/** Options of commands that load an encoder as `loadEncoder` does. */
export interface EncoderFlags {
  engine: 'auto' | 'onnxruntime' | 'libtorch'
  precision?: EmbedPrecision
  threads?: number
  batchSize?: number
  size?: number
  pooling?: 'class' | 'mean'
  preprocess?: Partial<Preprocess>
  output?: string
  key?: string
  autoOrient?: boolean
}

/** Adds the options of `EncoderFlags`. */
export function addEncoderFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--engine <name>',
        'what computes: ONNX Runtime, or libtorch for bf16 and where that is missing',
      )
        .choices(['auto', 'onnxruntime', 'libtorch'])
        .default('auto'),
    )
    .addOption(
      new Option('--precision <name>', 'of weights: default fp32; bf16 is by libtorch').choices([
        'fp32',
        'bf16',
        'fp16',
      ]),
    )
    .option('--threads <n>', 'that compute (default: all cores)', wholeNumber)
    .option('--batch-size <n>', 'images at once (default 16)', wholeNumber)
    .option('--size <pixels>', 'side the images are brought to (default: that of the model)', wholeNumber)
    .addOption(new Option('--pooling <how>', 'what of the tokens is the features').choices(['class', 'mean']))
    .option(
      '--preprocess <json>',
      'how images are prepared, as JSON or a file of it: {"resize": 256, ...}',
      preprocess,
    )
    .option('--output <name>', 'of an ONNX file: the output that is the features')
    .option('--key <name>', 'where the encoder is in a file with several, as teacher')
    .option('--auto-orient', 'turn images as their EXIF orientation says')
}

/** Those flags as options of `loadEncoder`. */
export const loadOptionsOf = ({ size, ...flags }: EncoderFlags): LoadOptions => ({
  ...flags,
  imageSize: size,
})

const channels = z.tuple([z.number(), z.number(), z.number()])
const side = z.number().int().positive()
const schema = z
  .strictObject({
    resize: side,
    crop: side,
    filter: z.enum(['bilinear', 'bicubic']),
    mean: channels,
    std: channels,
  })
  .partial()

function preprocess(text: string): Partial<Preprocess> {
  let value: unknown
  try {
    value = JSON.parse(existsSync(text) ? readFileSync(text, 'utf8') : text)
  } catch {
    throw new InvalidArgumentError('It is neither JSON nor a file of JSON.')
  }
  const { data, error } = schema.safeParse(value)
  if (!data) throw new InvalidArgumentError(z.prettifyError(error))
  return Object.fromEntries(Object.entries(data).filter(([, part]) => part !== undefined))
}
