import {
  type ResNetName,
  resnetArchitectures,
  VIT_DEPTH,
  type ViTName,
  vitArchitectures,
} from '../method/architectures.js'
import { isAt, placeOf } from './findEncoder.js'

/** What the names and shapes of weights tell of their encoder. */
export interface EncoderKind {
  readonly encoder: ResNetName | ViTName
  /** Of a ResNet: by the side of its first kernel. */
  readonly stem?: 'imagenet' | 'small'
  /** Of a vision transformer, in pixels. */
  readonly patchSize?: number
  /** Side of the images it was trained on, in pixels: null for a small stem, whose weights do not tell. */
  readonly imageSize: number | null
}

/** Shapes of tensors by name. */
export type Shapes = ReadonlyMap<string, { readonly shape: readonly number[] }>

/** Encoders of a file. */
export interface Kinds {
  /** Each once. */
  readonly kinds: readonly EncoderKind[]
  /** Where they are, in words; also those without the words of `key`. */
  readonly places: readonly string[]
}

const ANCHOR = /^(|.*\.)(layer1\.0\.conv1\.weight|patch_embed\.proj\.weight)$/

/** The encoders, under any prefixes, that the names and shapes of tensors are of; at places with the words of `key`. */
export function kindsIn(networks: readonly { path: string; tensors: Shapes }[], key = ''): Kinds {
  const kinds = new Map<string, EncoderKind>()
  const places: string[] = []
  for (const { path, tensors } of networks)
    for (const name of tensors.keys()) {
      const [, prefix, last] = ANCHOR.exec(name) ?? []
      if (prefix === undefined) continue
      const [kind] = (last!.startsWith('layer1') ? resnetUnder : vitUnder)(prefix, tensors)
      if (!kind) continue
      const place = placeOf(path, prefix)
      places.push(place)
      if (isAt(place, key)) kinds.set(JSON.stringify(kind), kind)
    }
  return { kinds: [...kinds.values()], places }
}

function resnetUnder(before: string, tensors: Shapes): EncoderKind[] {
  const depths = [1, 2, 3, 4].map((stage) => {
    let depth = 0
    while (tensors.has(`${before}layer${stage}.${depth}.conv1.weight`)) depth++
    return depth
  })
  const block = tensors.has(`${before}layer1.0.conv3.weight`) ? 'bottleneck' : 'basic'
  const side = tensors.get(`${before}conv1.weight`)?.shape[3]
  const [encoder] = Object.entries(resnetArchitectures).find(
    ([, known]) => known.block === block && `${known.depths}` === `${depths}`,
  ) ?? [null]
  if (encoder === null || !(side === 7 || side === 3)) return []
  const name = encoder as ResNetName
  return side === 7
    ? [{ encoder: name, stem: 'imagenet', imageSize: 224 }]
    : [{ encoder: name, stem: 'small', imageSize: null }]
}

function vitUnder(before: string, tensors: Shapes): EncoderKind[] {
  const [width, , patchSize] = tensors.get(`${before}patch_embed.proj.weight`)!.shape
  const positions = tensors.get(`${before}pos_embed`)?.shape[1]
  const [encoder] = Object.entries(vitArchitectures).find(([, known]) => known.width === width) ?? [null]
  const grid = Math.sqrt((positions ?? 0) - 1)
  const deep = tensors.has(`${before}blocks.${VIT_DEPTH - 1}.norm1.weight`)
  const deeper = tensors.has(`${before}blocks.${VIT_DEPTH}.norm1.weight`)
  if (encoder === null || !patchSize || !(grid >= 1 && Number.isInteger(grid)) || !deep || deeper) return []
  return [{ encoder: encoder as ViTName, patchSize, imageSize: grid * patchSize }]
}
