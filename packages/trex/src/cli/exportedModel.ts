import type { RawTensor } from 'trex-torch/safetensors'
import { encoderKinds } from '../checkpoints/encoderKind.js'
import type { EncoderWeights } from '../checkpoints/encoderWeights.js'
import type { ModelDescription } from '../checkpoints/modelDescription.js'
import type { DeployedModel } from '../deploy/deployedModel.js'
import { fileHeads, runHeads } from '../deploy/runHeads.js'
import { TrexError } from '../errors.js'
import {
  type ResNetName,
  resnetArchitectures,
  type ViTName,
  vitArchitectures,
} from '../method/architectures.js'
import { isViT } from '../settings.js'
import { openEncoderFile, type StoredNetwork } from '../train/encoderFile.js'
import type { FoundModel } from './findModel.js'
import { imageSizeFor } from './imageSize.js'

/** How an exported model's images are prepared: as `trex extract` or as the validation of training does. */
export type Preparation = 'extract' | 'validation'

/** Reads all of a run's or of weights' tensors. @throws TrexError when they are damaged, or of no known encoder. */
export function exportedModel(
  path: string,
  found: FoundModel,
  { size, preparation }: { size?: number; preparation: Preparation },
): DeployedModel {
  const { run, settings, weights: file } = found
  if (file === null)
    throw new TrexError(`${path} is an encoder without training`, { hint: 'export a run, or weights' })
  const { weights, before } = readWeights(file)
  const side = imageSizeFor(path, found, size)
  const { encoder, stem, vit, normalization, validation } = settings
  const transform =
    preparation === 'validation'
      ? { resize: validation.resize, crop: validation.crop, filter: 'bilinear' as const }
      : { resize: side, crop: side, filter: 'bicubic' as const }
  const description: ModelDescription = {
    ...{ version: 1, encoder, featureDim: featureDim(encoder) },
    ...(isViT(encoder) ? { vit: { patchSize: vit.patchSize, pooling: vit.pooling } } : { stem }),
    preprocess: { ...transform, mean: normalization.mean, std: normalization.std },
    outputs: ['features'],
  }
  const { classes } = run?.data ?? {}
  const heads = classes
    ? runHeads(weights.rest, { classes, temperature: settings.temperature })
    : fileHeads(weights.rest, before)
  return { weights, description, heads }
}

function featureDim(encoder: string): number {
  if (isViT(encoder)) return vitArchitectures[encoder as ViTName].width
  return resnetArchitectures[encoder as ResNetName].block === 'basic' ? 512 : 2048
}

/** Where an encoder is in a file: of a teacher before a student, of a run not the average. */
const ORDER = [/(^|\.)teacher\./, /^model\.encoder\./, /^(?!.*(momentum|student))/]

function readWeights(file: string): { weights: EncoderWeights; before: string } {
  using opened = openEncoderFile(file)
  const places = opened.networks.flatMap((network) =>
    [...network.tensors.keys()].flatMap((name) => {
      const before = /^(.*?)(?:layer1\.0\.conv1|patch_embed\.proj)\.weight$/.exec(name)?.[1]
      return before === undefined ? [] : [{ network, before }]
    }),
  )
  const rank = ({ network, before }: (typeof places)[number]) =>
    ORDER.findIndex((pattern) => pattern.test(`${network.path}.${before}`) || pattern.test(before)) >>> 0
  const [place] = places.sort((a, b) => rank(a) - rank(b))
  const kind = place && encoderKinds(stripped(place.network.tensors, place.before))[0]
  if (!kind)
    throw new TrexError(`the encoder in ${file} is not one that is recognised`, {
      hint: 'trex exports ResNets and vision transformers',
    })
  const { network, before } = place
  const tensors = new Map<string, RawTensor>()
  const rest = new Map<string, RawTensor>()
  for (const name of network.tensors.keys()) {
    const own = name.startsWith(before) && ENCODER.test(name.slice(before.length))
    if (own) tensors.set(name.slice(before.length), network.read(name))
    else if (!SKIPPED.test(name)) rest.set(name, network.read(name))
  }
  return { weights: { kind, tensors, rest }, before }
}

/** Names of encoders' tensors. */
const ENCODER = /^(conv1|bn1|layer[1-4]|cls_token|pos_embed|patch_embed|blocks|norm)(\.|$)/
/** What no export holds. */
const SKIPPED = /^(optimizer|rng|trex\.checkpoint)\.|momentum_encoder/

const stripped = (tensors: StoredNetwork['tensors'], before: string) =>
  new Map(
    [...tensors].flatMap(([name, value]) =>
      name.startsWith(before) ? [[name.slice(before.length), value]] : [],
    ),
  )
