import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { saveTensors, tidy, zeros } from 'trex-torch'
import { afterAll, describe, expect, test } from 'vitest'
import { createEncoder } from '../method/encoder.js'
import { recogniseEncoder } from './recogniseEncoder.js'

const folder = mkdtempSync(join(tmpdir(), 'recognise-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'weights.safetensors')
const golden = (name: string) => fileURLToPath(new URL(`../../test/golden/pth/${name}`, import.meta.url))

type Rename = (name: string) => string | null

/** Writes the tensors of encoders under other names, those without one left out. */
function save(parts: [encoder: string, options: object, rename: Rename][]): void {
  tidy(() => {
    const named = parts.flatMap(([encoder, options, rename]) =>
      [...createEncoder(encoder, options).stateDict()].flatMap(([name, tensor]) => {
        const renamed = rename(name)
        return renamed === null ? [] : [[renamed, tensor] as const]
      }),
    )
    saveTensors(path, new Map([...named, ['fc.weight', zeros([10, 4])]]))
  })
}

test.each([
  ['resnet18', {}, { stem: 'imagenet', imageSize: 224 }],
  ['resnet34', { stem: 'small' }, { stem: 'small', imageSize: null }],
  ['resnet50', {}, { stem: 'imagenet', imageSize: 224 }],
  ['vit_tiny', { imageSize: 32, vit: { patchSize: 8 } }, { patchSize: 8, imageSize: 32 }],
  ['vit_small', {}, { patchSize: 16, imageSize: 224 }],
] as const)('%s %j', (encoder, options, expected) => {
  save([[encoder, options, (name) => `module.backbone.${name}`]])
  expect(recogniseEncoder(path).kind).toEqual({ encoder, ...expected })
})

test.each([
  ['encoder-torchvision.pth', 'resnet18'],
  ['encoder-old.pth', 'resnet18'],
  ['encoder-moco.pth', 'resnet18'],
  ['encoder-dino.pth', 'vit_tiny'],
])('%s of PyTorch', (name, encoder) => expect(recogniseEncoder(golden(name)).kind).toMatchObject({ encoder }))

describe('what is not clear is an error', () => {
  test('a teacher and a student are one kind, two encoders are not', () => {
    save([
      ['resnet18', {}, (name) => `teacher.${name}`],
      ['resnet18', {}, (name) => `student.${name}`],
    ])
    expect(recogniseEncoder(path).kind.encoder).toBe('resnet18')
    save([
      ['resnet18', {}, (name) => `a.${name}`],
      ['resnet34', {}, (name) => `b.${name}`],
    ])
    expect(() => recogniseEncoder(path)).toThrow('has weights of several encoders: resnet18, resnet34')
  })

  test.each<[string, string, Rename]>([
    ['a block less', 'resnet18', (name) => (name.startsWith('layer3.1') ? null : name)],
    ['another block', 'resnet18', (name) => name.replace('layer1.0.bn1.bias', 'layer1.0.conv3.weight')],
    ['a layer less', 'vit_tiny', (name) => (name.startsWith('blocks.11') ? null : name)],
    ['no stem', 'resnet18', (name) => (name === 'conv1.weight' ? null : name)],
  ])('%s', (_, encoder, rename) => {
    save([[encoder, {}, rename]])
    expect(() => recogniseEncoder(path)).toThrow('is not one that is recognised')
  })
})
