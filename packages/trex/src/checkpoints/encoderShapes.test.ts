import { expect, test } from 'vitest'
import { createEncoder } from '../method/encoder.js'
import { featureDimOf } from './describeEncoder.js'
import { type EncoderKind, kindsIn } from './encoderKind.js'
import { encoderShapes } from './encoderShapes.js'

test.each<[EncoderKind, options: object]>([
  [{ encoder: 'resnet18', stem: 'imagenet', imageSize: 224 }, {}],
  [{ encoder: 'resnet34', stem: 'small', imageSize: null }, { stem: 'small' }],
  [{ encoder: 'resnet50', stem: 'imagenet', imageSize: 224 }, {}],
  [{ encoder: 'resnet101', stem: 'imagenet', imageSize: 224 }, {}],
  [
    { encoder: 'vit_tiny', patchSize: 8, imageSize: 32 },
    { vit: { patchSize: 8 }, imageSize: 32 },
  ],
  [{ encoder: 'vit_small', patchSize: 16, imageSize: 224 }, {}],
  [{ encoder: 'vit_base', patchSize: 16, imageSize: 224 }, {}],
])('%j has the names and shapes of the encoder on the engine, and is recognised by them', (kind, options) => {
  const encoder = createEncoder(kind.encoder, options)
  const state = [...encoder.stateDict()].map(([name, { shape }]) => [name, shape])
  const shapes = encoderShapes(kind)
  expect([...shapes].sort()).toEqual(state.sort())
  expect(featureDimOf(kind)).toBe(encoder.featureDim)
  const tensors = new Map([...shapes].map(([name, shape]) => [`a.b.${name}`, { shape }]))
  expect(kindsIn([{ path: 'model', tensors }])).toEqual({ kinds: [kind], places: ['model.a.b.'] })
  encoder.dispose()
})
