import { type RawTensor, typedArrayOf } from 'trex-torch/safetensors-format'
import type { Heads } from './deployedModel.js'

/** What a run's settings say of what follows the encoder. */
export interface RunHead {
  readonly classes: readonly string[]
  readonly temperature: number
}

const PROJECTOR = 'model.projector.'
const BANK = 'prototypes.memory_bank.'

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

/** u_c of Eq. 2: the normalised sum of the embeddings [Q, D] of class c; zeros for a class without any. [C, D] */
function bankMeans(rest: ReadonlyMap<string, RawTensor>, classes: number): RawTensor | null {
  const [features, labels] = [rest.get(`${BANK}features`), rest.get(`${BANK}labels`)]
  if (!features || !labels) return null
  const dim = features.shape[1]!
  const rows = typedArrayOf(features) as Float32Array
  const sums = new Float64Array(classes * dim)
  for (const [row, label] of (typedArrayOf(labels) as BigInt64Array).entries())
    for (let d = 0; d < dim; d++) sums[Number(label) * dim + d]! += rows[row * dim + d]!
  const means = new Float32Array(sums.length)
  for (let c = 0; c < classes; c++) {
    const sum = sums.subarray(c * dim, (c + 1) * dim)
    const length = Math.max(1e-12, Math.hypot(...sum))
    means.set(
      sum.map((value) => value / length),
      c * dim,
    )
  }
  return { dtype: 'F32', shape: [classes, dim], data: new Uint8Array(means.buffer) }
}
