// What the encoders' names mean, without the engine: readers of checkpoints and a browser import this file.

/** Blocks and their number in the four stages. */
export const resnetArchitectures = {
  resnet18: { block: 'basic', depths: [2, 2, 2, 2] },
  resnet34: { block: 'basic', depths: [3, 4, 6, 3] },
  resnet50: { block: 'bottleneck', depths: [3, 4, 6, 3] },
  resnet101: { block: 'bottleneck', depths: [3, 4, 23, 3] },
} as const

/** The name of a ResNet that can be built. */
export type ResNetName = keyof typeof resnetArchitectures
/** All names that `resnet` knows. */
export const resnetNames = Object.keys(resnetArchitectures) as ResNetName[]

/** Widths of tokens, and heads of attention. */
export const vitArchitectures = {
  vit_tiny: { width: 192, heads: 3 },
  vit_small: { width: 384, heads: 6 },
  vit_base: { width: 768, heads: 12 },
} as const

/** Blocks of every one of them. */
export const VIT_DEPTH = 12

/** The name of a vision transformer that can be built. */
export type ViTName = keyof typeof vitArchitectures
/** All names that `vit` knows. */
export const vitNames = Object.keys(vitArchitectures) as ViTName[]
