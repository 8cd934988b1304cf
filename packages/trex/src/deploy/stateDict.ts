import type { RawTensor, TensorSource } from 'trex-torch/safetensors'
import { TrexError } from '../errors.js'
import type { DeployedModel, LinearHead, Part } from './deployedModel.js'
import { torchvisionViT } from './torchvisionViT.js'

/** Whose names tensors have: torchvision's models, timm's, or ours, which are timm's with the projector's and prototypes'. */
export type Names = 'trex' | 'torchvision' | 'timm'

/**
 * A model's tensors by the names that its reader expects, the encoder's first and in their order.
 * @throws TrexError for a part that the model does not have, or the reader has no place for.
 */
export function stateDict(model: DeployedModel, parts: readonly Part[], names: Names): TensorSource[] {
  const { weights, description } = model
  const vit = weights.kind.encoder.startsWith('vit_')
  if (names !== 'trex') for (const part of parts) if (part !== 'classifier') throw noPlace(part, names)
  if (names === 'torchvision' && description.vit?.pooling === 'mean')
    throw new TrexError(
      "torchvision's vision transformers have the class token as features, this one a mean",
      {
        hint: 'export it with --format timm, safetensors or onnx',
      },
    )
  const encoder = [...weights.tensors].map(source)
  const added = parts.flatMap((part) => headTensors(model, part, vit ? 'head' : 'fc'))
  const all = [...encoder, ...added]
  return names === 'torchvision' && vit ? torchvisionViT(all) : all
}

const source = ([name, tensor]: readonly [string, RawTensor]): TensorSource => ({ name, ...tensor })

function headTensors({ heads }: DeployedModel, part: Part, layer: string): TensorSource[] {
  if (part === 'classifier')
    return linearTensors(heads.classifier ?? missing(part, heads.prototypes !== null), layer)
  if (part === 'prototypes')
    return [
      source(['prototypes.weight', (heads.prototypes ?? missing(part, heads.classifier !== null)).vectors]),
    ]
  return [...(heads.projector ?? missing(part, false))].map(([name, tensor]) =>
    source([`projector.${name}`, tensor]),
  )
}

/** A bias of zeros where there is none: torchvision's and timm's layers have one, and loading is strict. */
function linearTensors({ weight, bias }: LinearHead, layer: string): TensorSource[] {
  const zeros = {
    dtype: weight.dtype,
    shape: [weight.shape[0]!],
    data: () => new Uint8Array(weight.data.length / weight.shape[1]!),
  }
  return [
    { name: `${layer}.weight`, ...weight },
    { name: `${layer}.bias`, ...(bias ?? zeros) },
  ]
}

/** @param other whether the model has prototypes in place of a classifier, or the other way round. @throws TrexError always */
export function missing(part: Part, other: boolean): never {
  const hints = {
    classifier: other
      ? 'its logits are cosines to prototypes, after the projector if it has one: --with projector,prototypes, or as a graph --format onnx --with classifier'
      : 'a supervised run has one, and weights with a last linear layer (fc, head)',
    prototypes: other
      ? 'its logits are a linear map of the features: --with classifier'
      : 'give the run itself, not its weights',
    projector: 'it was trained without one, or these are weights without it: give the run itself',
  }
  throw new TrexError(`the model has no ${part}`, { hint: hints[part] })
}

function noPlace(part: Part, names: Names): TrexError {
  return new TrexError(
    `the models of ${names} have no place for ${part === 'projector' ? 'a projector' : part}`,
    {
      hint: `export with --format safetensors (or onnx), or leave out --with ${part}`,
    },
  )
}
