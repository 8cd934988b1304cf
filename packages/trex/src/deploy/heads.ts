import type { RawTensor } from 'trex-torch/safetensors'
import { classVectors } from '../onnx/classVectors.js'
import type { Heads } from './deployedModel.js'

/** What a run's settings say of what follows the encoder. */
export interface RunHead {
  readonly classes: readonly string[]
  readonly temperature: number
}

const PROJECTOR = 'model.projector.'

/** The heads in a run's checkpoint, by the names of its tensors beside the encoder's. */
export function runHeads(rest: ReadonlyMap<string, RawTensor>, { classes, temperature }: RunHead): Heads {
  const layers = [...rest].filter(([name]) => name.startsWith(PROJECTOR))
  const projector = layers.length
    ? new Map(layers.map(([name, tensor]) => [name.slice(PROJECTOR.length), tensor]))
    : null
  const learned = rest.get('prototypes.weight')
  const vectors = learned ?? bankMeans(rest, classes.length)
  const linear = learned !== undefined && temperature === 0 && !projector
  return {
    projector,
    prototypes: vectors && !linear ? { vectors, temperature } : null,
    classifier: linear ? { weight: learned, bias: null } : null,
    classes,
  }
}

/** The last linear layer of torchvision's, timm's or DINO's models, in a file of weights. */
export function fileHeads(rest: ReadonlyMap<string, RawTensor>, before: string): Heads {
  const [layer] = ['fc', 'head'].filter((name) => rest.get(`${before}${name}.weight`)?.shape.length === 2)
  const weight = rest.get(`${before}${layer}.weight`)
  const bias = rest.get(`${before}${layer}.bias`) ?? null
  return { projector: null, prototypes: null, classifier: weight ? { weight, bias } : null, classes: null }
}

/** Class means of a run's memory bank: unit rows, zeros for a class without any embedding. [C, D] */
function bankMeans(rest: ReadonlyMap<string, RawTensor>, classes: number): RawTensor | null {
  const means = classVectors(rest, classes, 1)
  const vectors = means?.vectors()
  if (!means || !vectors) return null
  const shape = [classes, vectors.length / classes]
  return { dtype: 'F32', shape, data: new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength) }
}
