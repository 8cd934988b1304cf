import { foldedBias, foldedWeight } from './foldNorm.js'
import { gelu } from './gelu.js'
import type { GraphDraft, Vectors } from './graph.js'
import { l2Normalized } from './l2Normalized.js'
import { type Rest, weightReader } from './weights.js'

/** Where the layers of a projector are: `model.projector.layers.`, and the numbers of those with weights. */
interface ProjectorLayers {
  readonly prefix: string
  readonly hidden: readonly number[]
  readonly last: number
}

/** The projector of a run's checkpoint, undefined where there is none. */
export function findProjector(rest: Rest): ProjectorLayers | undefined {
  const found = [...rest.keys()].flatMap((name) => {
    const [, prefix, number] = /^((?:.*\.)?projector\.layers\.)(\d+)\.(?:fc\.)?weight$/.exec(name) ?? []
    return prefix === undefined || name.includes('momentum_encoder.')
      ? []
      : [{ prefix, number: Number(number) }]
  })
  const order = found.map(({ number }) => number).sort((a, b) => a - b)
  if (order.length === 0) return undefined
  return { prefix: found[0]!.prefix, hidden: order.slice(0, -1), last: order.at(-1)! }
}

/**
 * The embedding of features, as in `method/projector.ts`: its first layer with weights has number 1 where the features
 * are l2-normalised before it, else 0.
 */
export function projectorGraph(
  g: GraphDraft,
  features: Vectors,
  rest: Rest,
  { prefix, hidden, last }: ProjectorLayers,
): Vectors {
  const read = weightReader(rest)
  const l2Input = (hidden[0] ?? last) === 1
  let x = g.cast(l2Input ? l2Normalized(g, features.name) : features.name, 'graph')
  let { width } = features
  for (const number of hidden) {
    const [layer, norm] = [`${prefix}${number}.fc`, `${prefix}${number}.bn`]
    const output = rest.get(`${layer}.weight`)!.shape[0]!
    const names = { layer, norm, shape: [output, width] }
    const weight = g.weight(`${layer}.weight`, names.shape, () => foldedWeight(read, names))
    const bias = g.weight(`${layer}.bias`, [output], () => foldedBias(read, names, true))
    x = gelu(g, g.node(layer, 'Gemm', [x, weight, bias], { transB: 1 })) // [N, hidden]
    width = output
  }
  const name = `${prefix}${last}.weight`
  const shape = [rest.get(name)!.shape[0]!, width]
  const weight = g.weight(name, shape, () => read(name, shape))
  const embedding = g.cast(g.node('projector', 'Gemm', [x, weight], { transB: 1 }), 'float32')
  return { name: g.node('embedding', 'Identity', [embedding]), width: shape[0]! } // [N, E]
}
