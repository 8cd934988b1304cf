import { describe, expect, test } from 'vitest'
import type { Checkpoint, StoredNetwork } from './checkpoint.js'
import { CheckpointError } from './checkpointError.js'
import type { EncoderKind } from './encoderKind.js'
import { describeReport } from './encoderReport.js'
import { encoderShapes } from './encoderShapes.js'
import { encoderWeights } from './encoderWeights.js'
import { placeOf } from './findEncoder.js'
import { withOurNames } from './otherNames.js'

// Names as other programs write them: a tensor's only number is its place in the encoder, so that each can be told.

const RESNET: EncoderKind = { encoder: 'resnet18', stem: 'imagenet', imageSize: 224 }
const SMALL: EncoderKind = { encoder: 'resnet18', stem: 'small', imageSize: null }
const VIT: EncoderKind = { encoder: 'vit_tiny', patchSize: 16, imageSize: 224 }

type Parts = Record<string, (readonly [name: string, shape: readonly number[], place: number])[]>

/** A checkpoint whose tensors are float32 and all their place. */
function checkpoint(parts: Parts, size = 1 << 28): Checkpoint {
  const networks = Object.entries(parts).map(([path, tensors]): StoredNetwork => {
    const named = new Map(
      tensors.map(([name, shape, place]) => [name, { dtype: 'F32' as const, shape, place }]),
    )
    const read = (name: string) => {
      const { dtype, shape, place } = named.get(name)!
      const count = shape.reduce((product, length) => product * length, 1)
      return { dtype, shape, data: new Uint8Array(new Float32Array(count).fill(place).buffer) }
    }
    return { path, tensors: named, read }
  })
  const tree = () => ({ kind: 'value', text: '' }) as const
  return { name: 'x.pth', size, format: 'pytorch', metadata: {}, networks: withOurNames(networks), tree }
}

const tensors = (kind: EncoderKind, rename: (name: string) => string = (name) => name, start = 0) =>
  [...encoderShapes(kind)].map(([name, shape], i) => [rename(name), shape, start + i] as const)

function expectPlaces(given: Checkpoint, kind: EncoderKind, start = 0) {
  const { weights, report } = encoderWeights(given)
  expect(weights.kind).toEqual(kind)
  const names = [...encoderShapes(kind).keys()]
  expect([...weights.tensors.keys()]).toEqual(names)
  for (const [i, { data, shape }] of [...weights.tensors.values()].entries()) {
    expect(shape).toEqual(encoderShapes(kind).get(names[i]!))
    const values = new Float32Array(data.buffer)
    expect(
      values.every((value) => value === start + i),
      names[i],
    ).toBe(true)
  }
  return report
}

const under = (prefix: string) => (name: string) => prefix + name

describe('prefixes and keys', () => {
  test.each([
    ['', '', 'torchvision, timm, t-ReX'],
    ['', 'module.', 'DataParallel'],
    ['', '_orig_mod.module.', 'torch.compile'],
    ['state_dict', 'model.', 'Lightning'],
    ['state_dict', 'backbone.', 'solo-learn, mmselfsup'],
    ['state_dict', 'module.base_encoder.', 'MoCo v3'],
    ['state_dict', 'module.encoder_q.', 'MoCo'],
    ['model', 'module.backbone.', 'VICReg, Barlow Twins'],
    ['model', 'encoder.module.', 'SupCon'],
    ['encoder', 'module.', 'PAWS'],
    ['checkpoint.model_state', 'net.features.0.', 'anything'],
  ])('%s %s (%s)', (path, prefix) => {
    const report = expectPlaces(checkpoint({ [path]: tensors(RESNET, under(prefix)) }), RESNET)
    expect(report).toMatchObject({ key: path, prefix, taken: 120, leftOver: [], missing: [], others: [] })
  })

  test.each<[string, ours: string, others: string[], parts: (start: number) => Parts]>([
    [
      'DINO',
      'teacher.backbone.',
      ['student.module.backbone.'],
      (start) => ({
        student: tensors(VIT, under('module.backbone.'), 1000),
        teacher: tensors(VIT, under('backbone.'), start),
      }),
    ],
    [
      'timm with an EMA',
      'state_dict_ema',
      ['state_dict'],
      (start) => ({
        state_dict: tensors(RESNET, undefined, 1000),
        state_dict_ema: tensors(RESNET, undefined, start),
      }),
    ],
    [
      'MoCo',
      'state_dict.module.encoder_q.',
      ['state_dict.module.encoder_k.'],
      (start) => ({
        state_dict: [
          ...tensors(RESNET, under('module.encoder_k.'), 1000),
          ...tensors(RESNET, under('module.encoder_q.'), start),
        ],
      }),
    ],
    [
      'PAWS',
      'encoder',
      ['target_encoder'],
      (start) => ({
        target_encoder: tensors(RESNET, undefined, 1000),
        encoder: tensors(RESNET, undefined, start),
      }),
    ],
    [
      'BYOL',
      'online_encoder.',
      ['target_encoder.'],
      (start) => ({
        '': [
          ...tensors(RESNET, under('target_encoder.'), 1000),
          ...tensors(RESNET, under('online_encoder.'), start),
        ],
      }),
    ],
  ])('%s: %s is taken', (_, ours, others, parts) => {
    const given = checkpoint(parts(5))
    const kind = ours.startsWith('teacher') ? VIT : RESNET
    const report = expectPlaces(given, kind, 5)
    expect(placeOf(report.key, report.prefix)).toBe(ours)
    expect(report.others).toEqual(others)
    const { report: chosen } = encoderWeights(given, { key: others[0]! })
    expect(placeOf(chosen.key, chosen.prefix)).toBe(others[0])
  })
})

describe('other names for the same layers', () => {
  test('Hugging Face ResNets', () => {
    const rename = (name: string) =>
      `resnet.${name
        .replace(/^conv1\./, 'embedder.embedder.convolution.')
        .replace(/^bn1\./, 'embedder.embedder.normalization.')
        .replace(
          /^layer(\d)\.(\d)\.downsample\.0\./,
          (_, s, b) => `encoder.stages.${s - 1}.layers.${b}.shortcut.convolution.`,
        )
        .replace(
          /^layer(\d)\.(\d)\.downsample\.1\./,
          (_, s, b) => `encoder.stages.${s - 1}.layers.${b}.shortcut.normalization.`,
        )
        .replace(
          /^layer(\d)\.(\d)\.conv(\d)\./,
          (_, s, b, k) => `encoder.stages.${s - 1}.layers.${b}.layer.${k - 1}.convolution.`,
        )
        .replace(
          /^layer(\d)\.(\d)\.bn(\d)\./,
          (_, s, b, k) => `encoder.stages.${s - 1}.layers.${b}.layer.${k - 1}.normalization.`,
        )}`
    const head = ['classifier.1.weight', [10, 512], 0] as const
    const report = expectPlaces(checkpoint({ '': [...tensors(RESNET, rename), head] }), RESNET)
    expect(report).toMatchObject({ prefix: 'resnet.', leftOver: ['classifier.1.weight'] })
  })

  test('Hugging Face vision transformers: queries, keys and values become one', () => {
    type Named = readonly [name: string, shape: readonly number[], place: number]
    const parts = [...encoderShapes(VIT)].flatMap(([name, shape], i): Named[] => {
      const own = name
        .replace(/^(cls_token)$/, 'embeddings.$1')
        .replace(/^pos_embed$/, 'embeddings.position_embeddings')
        .replace(/^patch_embed\.proj/, 'embeddings.patch_embeddings.projection')
        .replace(/^norm\./, 'layernorm.')
        .replace(/^blocks\.(\d+)\.norm1/, 'encoder.layer.$1.layernorm_before')
        .replace(/^blocks\.(\d+)\.norm2/, 'encoder.layer.$1.layernorm_after')
        .replace(/^blocks\.(\d+)\.attn\.proj/, 'encoder.layer.$1.attention.output.dense')
        .replace(/^blocks\.(\d+)\.mlp\.fc1/, 'encoder.layer.$1.intermediate.dense')
        .replace(/^blocks\.(\d+)\.mlp\.fc2/, 'encoder.layer.$1.output.dense')
      const [, block, part] = /^blocks\.(\d+)\.attn\.qkv\.(\w+)$/.exec(name) ?? []
      if (block === undefined) return [[`vit.${own}`, shape, i] as const]
      const third = [shape[0]! / 3, ...shape.slice(1)]
      const names = ['query', 'key', 'value'].map(
        (kind) => `vit.encoder.layer.${block}.attention.attention.${kind}.${part}`,
      )
      return names.map((name): Named => [name, third, i])
    })
    expectPlaces(checkpoint({ '': parts }), VIT)
    const torn = parts.filter(([name]) => name !== 'vit.encoder.layer.3.attention.attention.key.weight')
    expect(() => encoderWeights(checkpoint({ '': torn }))).toThrow('blocks.3.attn.qkv.weight is missing')
  })

  test("torchvision's vision transformers", () => {
    const rename = (name: string) =>
      name
        .replace(/^cls_token$/, 'class_token')
        .replace(/^pos_embed$/, 'encoder.pos_embedding')
        .replace(/^patch_embed\.proj/, 'conv_proj')
        .replace(/^norm\./, 'encoder.ln.')
        .replace(/^blocks\.(\d+)\.norm(\d)/, 'encoder.layers.encoder_layer_$1.ln_$2')
        .replace(/^blocks\.(\d+)\.attn\.qkv\./, 'encoder.layers.encoder_layer_$1.self_attention.in_proj_')
        .replace(/^blocks\.(\d+)\.attn\.proj/, 'encoder.layers.encoder_layer_$1.self_attention.out_proj')
        .replace(/^blocks\.(\d+)\.mlp\.fc1/, 'encoder.layers.encoder_layer_$1.mlp.linear_1')
        .replace(/^blocks\.(\d+)\.mlp\.fc2/, 'encoder.layers.encoder_layer_$1.mlp.3')
    expectPlaces(checkpoint({ '': tensors(VIT, rename) }), VIT)
  })

  test('ResNets for CIFAR, as those of SupCon', () => {
    const rename = (name: string) => `encoder.module.${name.replace('.downsample.', '.shortcut.')}`
    expectPlaces(checkpoint({ model: tensors(SMALL, rename) }), SMALL)
  })
})

describe('what does not fit', () => {
  const failure = (given: Checkpoint, key?: string) => {
    try {
      encoderWeights(given, key === undefined ? {} : { key })
    } catch (error) {
      expect(error).toBeInstanceOf(CheckpointError)
      return (error as CheckpointError).message
    }
    throw new Error('no error')
  }

  test('missing, other shapes, and both are listed', () => {
    const some = tensors(RESNET).filter(
      ([name]) => name !== 'layer4.1.conv2.weight' && !name.endsWith('tracked'),
    )
    const other = some.map(([name, shape, i]) => [name, name === 'bn1.bias' ? [32] : shape, i] as const)
    expect(failure(checkpoint({ '': other }))).toBe(
      'x.pth: does not have the whole encoder:\n  layer4.1.conv2.weight is missing\n  bn1.bias is [32], not [64]',
    )
    const { report } = encoderWeights(
      checkpoint({ '': tensors(RESNET).filter(([name]) => !name.endsWith('tracked')) }),
    )
    expect([report.taken, report.missing.length]).toEqual([100, 20])
    expect(describeReport(report)[1]).toMatch(/^ {2}missing, and left at 0: 20 names: /)
  })

  test('no encoder, several, or none at the place that was named', () => {
    expect(failure(checkpoint({}))).toBe('x.pth: holds no tensors by name')
    expect(failure(checkpoint({ '': [['a\u001b.b', [1], 0]] }))).toBe(
      'x.pth: has no encoder that is recognised: its names are like "a\\u001b.b"',
    )
    const both = checkpoint({ a: tensors(RESNET), b: tensors(VIT) })
    expect(failure(both)).toBe('x.pth: has weights of several encoders: resnet18, vit_tiny')
    expect(encoderWeights(both, { key: 'b' }).weights.kind).toEqual(VIT)
    expect(failure(both, 'c')).toBe('x.pth: has no encoder under "c"')
  })

  test('a small file that repeats its elements does not fill memory', () => {
    const large: EncoderKind = { ...RESNET, encoder: 'resnet34' }
    expect(failure(checkpoint({ '': tensors(large) }, 1000))).toBe(
      'x.pth: has 1000 bytes, but its encoder would take 85206928', // 4 (21,284,672 parameters, 17,024 statistics, 36 counters)
    )
  })
})

test('what is left over is read when it is asked for', () => {
  const given = checkpoint({ '': [...tensors(RESNET), ['fc.bias', [3], 7] as const] })
  const { weights } = encoderWeights(given)
  expect([...weights.rest.keys()]).toEqual(['fc.bias'])
  expect([...new Float32Array(weights.rest.get('fc.bias')!.data.buffer)]).toEqual([7, 7, 7])
})
