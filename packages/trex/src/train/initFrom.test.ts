import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  fromTypedArray,
  Generator,
  liveTensors,
  type Module,
  noGrad,
  saveTensors,
  setNumThreads,
  type Tensor,
  tidy,
} from 'trex-torch'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { detImages } from '../../test/support/det.js'
import { valuesOf } from '../../test/support/model.js'
import { resolveSettings } from '../config.js'
import { TrexError } from '../errors.js'
import { createEncoder } from '../method/encoder.js'
import type { OnlineClassMeans } from '../method/onlineClassMeans.js'
import { describeInit, initialiseFrom } from './initFrom.js'
import { createLearner, disposeLearner, type Learner } from './learner.js'
import { saveLearner } from './learnerCheckpoint.js'
import { START } from './position.js'

// The .pth files are of PyTorch (pthFixtures.py): the tensor at place i is i / 64 everywhere, in a student 1 more.

const golden = (name: string) => fileURLToPath(new URL(`../../test/golden/pth/${name}`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'init-'))
afterAll(() => rmSync(folder, { recursive: true }))
beforeAll(() => setNumThreads(1))

const projector = { layers: 1, hidden: 8, bottleneck: 4 }
const settingsFor = (encoder: 'resnet18' | 'vit_tiny', sets: string[] = []) =>
  resolveSettings({ flags: { encoder, projector, onlineClassMeans: { size: 8 } }, sets })
const create = (...settings: Parameters<typeof settingsFor>) =>
  createLearner(settingsFor(...settings), 3, { device: 'cpu', dtype: null })

function withLearner(learner: Learner, body: (learner: Learner) => void): void {
  try {
    body(learner)
  } finally {
    disposeLearner(learner)
  }
}

/** All weights, to be compared at once: 11 million numbers one by one take minutes. */
const bytesOf = (module: Module): Buffer =>
  Buffer.concat(
    [...module.stateDict().values()].map((tensor) => Buffer.from(tensor.toTypedArray().slice().buffer)),
  )

const constants = (learner: Learner) =>
  [...learner.model.encoder.stateDict()].map(([name, tensor]): [string, number] => {
    const values = valuesOf(tensor)
    expect(
      values.every((value) => Math.abs(value - values[0]!) < 1e-5),
      name,
    ).toBe(true)
    return [name, values[0]!]
  })

function expectConstants(learner: Learner, start = 0): void {
  for (const [i, [name, value]] of constants(learner).entries())
    expect(value, name).toBeCloseTo(name.endsWith('num_batches_tracked') ? i : i / 64 + start, 5)
}

describe('files of PyTorch', () => {
  test('torchvision: the classifier is left over; the momentum encoder is a copy', () => {
    withLearner(create('resnet18'), (learner) => {
      const report = initialiseFrom(learner, golden('encoder-torchvision.pth'))
      expectConstants(learner)
      expect(describeInit(report)).toEqual([
        `encoder from ${golden('encoder-torchvision.pth')}: 120 tensors taken`,
        '  left over: fc.weight, fc.bias',
      ])
      const { momentumEncoder } = learner.prototypes as OnlineClassMeans
      expect(bytesOf(momentumEncoder.model).equals(bytesOf(learner.model))).toBe(true)
    })
  })

  test('prefixes in a row, a second network beside the first', () => {
    withLearner(create('resnet18'), (learner) => {
      const report = initialiseFrom(learner, golden('encoder-moco.pth'))
      expectConstants(learner)
      expect(report).toMatchObject({ key: 'state_dict', prefix: 'module.base_encoder.', taken: 120 })
      expect(describeInit(report).slice(1)).toEqual([
        '  also there, and not taken: state_dict.module.momentum_encoder.',
        '  left over: 120 names: module.* (120)',
      ])
    })
  })

  test('the format before 1.6, without counters of batches', () => {
    withLearner(create('resnet18'), (learner) => {
      const report = initialiseFrom(learner, golden('encoder-old.pth'))
      expect([report.taken, report.missing.length, report.leftOver]).toEqual([100, 20, []])
      for (const [name, value] of constants(learner))
        if (name.endsWith('num_batches_tracked')) expect(value).toBe(0)
    })
  })

  test('DINO: the teacher is taken, positions are interpolated to the crops', () => {
    withLearner(create('vit_tiny', ['imageSize=96', 'vit.patchSize=16', 'localCrops.size=48']), (learner) => {
      const report = initialiseFrom(learner, golden('encoder-dino.pth'))
      expectConstants(learner) // bicubic weights add up to 1
      expect(describeInit(report)).toEqual([
        `encoder from ${golden('encoder-dino.pth')} (in teacher, under backbone.*): 150 tensors taken`,
        '  also there, and not taken: student.module.backbone.',
        '  left over: head.last_layer.weight_g',
        '  pos_embed interpolated from 14x14 to 6x6 patches',
      ])
    })
  })
})

describe('safetensors', () => {
  test("one dict of DINO's student and teacher: the teacher is taken", () => {
    withLearner(create('resnet18'), (learner) => {
      const path = join(folder, 'flat.SafeTensors')
      tidy(() =>
        saveTensors(
          path,
          ['student', 'teacher'].flatMap((who, i) =>
            [...learner.model.encoder.stateDict()].map(
              ([name, t]) => [`${who}.backbone.${name}`, t.mul(0).add(i)] as const,
            ),
          ),
        ),
      )
      expect(initialiseFrom(learner, path)).toMatchObject({ prefix: 'teacher.backbone.', taken: 120 })
      for (const [name, value] of constants(learner)) expect(value, name).toBe(1)
    })
  })

  const images = () => fromTypedArray(detImages('init.x', 2, 3, 96), [2, 3, 96, 96])
  const features = (encoder: { forward(x: Tensor): Tensor }) =>
    noGrad(() => tidy(() => valuesOf(encoder.forward(images()))))

  test("timm's layout, half precision: features at the new size are those of the encoder that was saved", () => {
    const encoder = createEncoder('vit_tiny', { generator: new Generator(5) })
    const path = join(folder, 'timm.safetensors')
    tidy(() =>
      saveTensors(
        path,
        [...encoder.stateDict()].map(([name, t]) => [name, t.to({ dtype: 'bfloat16' })] as const),
      ),
    )
    tidy(() => {
      for (const tensor of encoder.stateDict().values())
        noGrad(() => tensor.copy_(tensor.to({ dtype: 'bfloat16' })))
    })
    withLearner(create('vit_tiny', ['imageSize=96', 'vit.patchSize=16', 'localCrops.size=48']), (learner) => {
      const report = initialiseFrom(learner, path)
      expect(report.interpolated).toEqual([14, 6])
      expect(features(learner.model.encoder)).toEqual(features(encoder))
    })
    encoder.dispose()
  })

  test('a run: its encoder alone, from the best checkpoint or the last', () => {
    withLearner(create('resnet18', ['seed=1']), (trained) => {
      mkdirSync(join(folder, 'run', 'checkpoints'), { recursive: true })
      expect(() => initialiseFrom(trained, join(folder, 'run'))).toThrow(/has no checkpoint last/)
      const last = join(folder, 'run', 'checkpoints', 'last.safetensors')
      saveLearner(last, trained, { ...START, epoch: 1 })
      withLearner(create('resnet18', ['seed=2']), (learner) => {
        const before = liveTensors()
        const report = initialiseFrom(learner, join(folder, 'run'))
        expect(liveTensors()).toBe(before)
        expect(report).toMatchObject({ path: last, prefix: 'model.encoder.', taken: 120, missing: [] })
        expect(describeInit(report)[2]).toMatch(
          /^ {2}left over: \d+ names: model\.projector\.\* \(\d+\), prototypes\.\*/,
        )
        expect(features(learner.model.encoder.eval())).toEqual(features(trained.model.encoder.eval()))
      })
    })
  })
})

test('names of a file are shown on one line, of long ones the beginning', () => {
  const report = {
    ...{ path: 'x.pth', key: '', prefix: '', taken: 1, missing: [], others: [], interpolated: null },
    leftOver: ['a\u001b[2J\nb', 'y'.repeat(1000)],
  }
  const line = `  left over: a\\u001b[2J\\nb, ${'y'.repeat(80)}...`
  expect(describeInit(report)[1]).toBe(line)
  const many = Array.from({ length: 200_000 }, (_, i) => `a\u001b.${i}`) // in one group, in less than a second
  expect(describeInit({ ...report, leftOver: many })[1]).toBe(
    '  left over: 200000 names: a\\u001b.* (200000)',
  )
})

describe('what does not fit is an error, and changes nothing', () => {
  const failure = (learner: Learner, path: string): string => {
    const before = bytesOf(learner.model.encoder)
    try {
      initialiseFrom(learner, path)
    } catch (error) {
      expect(error).toBeInstanceOf(TrexError)
      expect(bytesOf(learner.model.encoder).equals(before)).toBe(true)
      return (error as TrexError).message
    }
    throw new Error('no error')
  }

  test('another stem, another patch size, another encoder', () => {
    withLearner(create('resnet18', ['stem=small']), (learner) => {
      const path = golden('encoder-torchvision.pth')
      expect(failure(learner, path)).toBe(
        `${path} does not fit the encoder:\n  conv1.weight is [64,3,7,7], not [64,3,3,3]`,
      )
      const dino = golden('encoder-dino.pth')
      expect(failure(learner, dino)).toContain(
        `${dino} has no weights of this encoder: its names are like module.backbone.cls`,
      )
    })
    withLearner(create('vit_tiny', ['imageSize=64']), (learner) =>
      expect(failure(learner, golden('encoder-dino.pth'))).toContain(
        'patch_embed.proj.weight is [192,3,16,16], not [192,3,8,8]',
      ),
    )
  })

  test('missing tensors are listed', () => {
    withLearner(create('resnet18'), (learner) => {
      const path = join(folder, 'part.safetensors')
      const some = [...learner.model.encoder.stateDict()].filter(([name]) => !name.startsWith('layer4.1'))
      saveTensors(path, some)
      expect(failure(learner, path)).toMatch(
        /not fit the encoder:\n {2}layer4\.1\.conv1\.weight is missing\n/,
      )
      const text = join(folder, 'text.pth')
      writeFileSync(text, 'hello')
      expect(failure(learner, text)).toBe(`${text}: is no file of weights that is known`)
      const damaged = join(folder, 'text.safetensors')
      writeFileSync(damaged, 'hello')
      expect(failure(learner, damaged)).toContain('is no file of weights')
      expect(failure(learner, golden('hostile-system.pth'))).toContain('holds no tensors by name')
      expect(failure(learner, join(folder, 'none.pth'))).toContain('ENOENT')
      for (const name of ['pipe.pth', 'pipe.safetensors']) {
        execFileSync('mkfifo', [join(folder, name)])
        expect(failure(learner, join(folder, name))).toBe(`${join(folder, name)}: is no file`)
      }
    })
  })
})
