import type { EncoderKind } from '../checkpoints/encoderKind.js'
import { TrexError } from '../errors.js'
import { VIT_DEPTH, type ViTName, vitArchitectures } from '../method/architectures.js'
import type { EncoderValues, GraphDraft } from './graph.js'
import { positionsAt } from './positions.js'
import { layerNorm, transformerBlock, type ViTDraft } from './vitBlockGraph.js'
import type { ReadWeight } from './weights.js'

/** What a vision transformer's graph needs to know beside its weights. */
export interface ViTShape {
  readonly pooling: 'class' | 'mean'
  /** Side of the images in pixels, for which the positions are interpolated; no others run. */
  readonly crop: number
}

/**
 * A vision transformer as in `method/vit.ts` on images [N, 3, crop, crop].
 * @throws TrexError when the patches do not divide the crop
 */
export function vitGraph(
  g: GraphDraft,
  images: string,
  kind: EncoderKind,
  read: ReadWeight,
  { pooling, crop }: ViTShape,
): EncoderValues {
  const draft = { g, read, ...vitArchitectures[kind.encoder as ViTName] }
  let x = placedTokens(draft, images, kind, crop) // [N, 1 + T, D]
  for (let i = 0; i < VIT_DEPTH; i++) x = transformerBlock(draft, x, `blocks.${i}`)
  const hidden = g.cast(layerNorm(draft, x, 'norm'), 'float32') // [N, 1 + T, D]
  const features =
    pooling === 'class'
      ? g.node('features', 'Gather', [hidden, g.integers('index.first', 0)], { axis: 1 }) // [N, D]
      : g.node('features', 'ReduceMean', [patchesOf(g, hidden)], { axes: [1], keepdims: 0 }) // [N, D]
  const tokens = 1 + (crop / kind.patchSize!) ** 2
  const { width } = draft
  return { features: { name: features, width }, hidden, hiddenDims: ['batch', tokens, width] }
}

/** All tokens but the class token. */
function patchesOf(g: GraphDraft, tokens: string): string {
  const [start, end, axis] = [
    g.integers('slice.start', [1]),
    g.integers('slice.end', [2 ** 31 - 1]),
    g.integers('slice.axis', [1]),
  ]
  return g.node('tokens.patches', 'Slice', [tokens, start, end, axis]) // [N, T, D]
}

/** Class token and patches with their positions. */
function placedTokens({ g, read, width }: ViTDraft, images: string, kind: EncoderKind, crop: number): string {
  const patchSize = kind.patchSize!
  if (crop % patchSize !== 0)
    throw new TrexError(`images of ${crop} px are not made of patches of ${patchSize} px`, {
      hint: `choose a crop that is a multiple of ${patchSize}`,
    })
  const side = crop / patchSize
  const parameter = (name: string, shape: readonly number[]) => g.weight(name, shape, () => read(name, shape))
  const weight = parameter('patch_embed.proj.weight', [width, 3, patchSize, patchSize])
  const map = g.node(
    'patch_embed.proj',
    'Conv',
    [images, weight, parameter('patch_embed.proj.bias', [width])],
    {
      ...{ kernel_shape: [patchSize, patchSize], strides: [patchSize, patchSize], pads: [0, 0, 0, 0] },
    },
  ) // [N, D, side, side]
  const rows = g.node('patches.rows', 'Reshape', [map, g.integers('shape.patches', [0, width, side * side])]) // [N, D, T]
  const patches = g.node('patches.tokens', 'Transpose', [rows], { perm: [0, 2, 1] }) // [N, T, D]
  const batch = g.node('batch', 'Shape', [images], { start: 0, end: 1 })
  const shape = g.node('cls_token.shape', 'Concat', [batch, g.integers('shape.token', [1, width])], {
    axis: 0,
  })
  const first = g.node('cls_token.each', 'Expand', [parameter('cls_token', [1, 1, width]), shape]) // [N, 1, D]
  const tokens = g.node('tokens', 'Concat', [first, patches], { axis: 1 }) // [N, 1 + T, D]
  const positions = g.weight('pos_embed', [1, 1 + side * side, width], () => {
    const own = 1 + (kind.imageSize! / patchSize) ** 2
    return positionsAt(read('pos_embed', [1, own, width]), width, [side, side])
  })
  return g.node('tokens.placed', 'Add', [tokens, positions]) // [N, 1 + T, D]
}
