import type { RawTensor } from 'trex-torch/safetensors'
import { describeEncoder } from '../checkpoints/describeEncoder.js'
import { describeReport } from '../checkpoints/encoderReport.js'
import { encoderWeights } from '../checkpoints/encoderWeights.js'
import { descriptionOf } from '../checkpoints/modelDescription.js'
import type { DeployedModel } from '../deploy/deployedModel.js'
import { fileHeads, runHeads } from '../deploy/heads.js'
import { TrexError } from '../errors.js'
import { openEncoderFile } from '../train/encoderFile.js'
import type { FoundModel } from './findModel.js'
import { imageSizeFor } from './imageSize.js'

/** How an exported model's images are prepared: as `trex extract` or as the validation of training does. */
export type Preparation = 'extract' | 'validation'

/** What no export holds, and may be large. */
const SKIPPED = /^(optimizer|rng|trex\.checkpoint)\.|momentum_encoder\./

/**
 * Reads the encoder and the heads of a run or of weights.
 * @throws TrexError when they are damaged, the encoder is not recognised, or does not tell the size of its images.
 */
export function exportedModel(
  path: string,
  found: FoundModel,
  { size, preparation }: { size?: number; preparation: Preparation },
): DeployedModel {
  const { run, settings } = found
  if (found.weights === null)
    throw new TrexError(`${path} is an encoder without training`, { hint: 'export a run, or weights' })
  using file = openEncoderFile(found.weights)
  const { weights: opened, report } = encoderWeights(file)
  if (!run) for (const line of describeReport(report)) console.error(line)
  const rest = new Map<string, RawTensor>()
  for (const [name, { dtype, shape }] of opened.rest)
    if (!SKIPPED.test(name)) rest.set(name, { dtype, shape, data: opened.rest.get(name)!.data })
  const stored = size === undefined ? descriptionOf(file)?.preprocess : undefined
  const { validation, normalization, vit, temperature } = settings
  const asValidation = { resize: validation.resize, crop: validation.crop, filter: 'bilinear' } as const
  const description = describeEncoder(opened.kind, {
    imageSize: imageSizeFor(path, found, size),
    pooling: vit.pooling,
    preprocess: { ...stored, ...(preparation === 'validation' && asValidation), ...normalization },
  })
  const heads = run
    ? runHeads(rest, { classes: run.data.classes, temperature })
    : fileHeads(rest, report.prefix)
  return { weights: { ...opened, rest }, description, heads }
}
