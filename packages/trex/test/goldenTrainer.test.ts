import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { F, noGrad, setNumThreads, tidy } from 'trex-torch'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resolveSettings } from '../src/config.js'
import type { Batch, Loader } from '../src/data/loader/loader.js'
import { IMAGENET_NORMALIZATION } from '../src/data/pixels/normalize.js'
import type { ImageDataset } from '../src/data/sources/sample.js'
import { disposeLearner, type Learner, learnerState } from '../src/train/learner.js'
import { saveLearner } from '../src/train/learnerCheckpoint.js'
import { readMetrics } from '../src/train/metrics.js'
import { START } from '../src/train/position.js'
import { checkpointPath, createRun, describeData, type Run } from '../src/train/run.js'
import { type TrainOptions, train } from '../src/train/train.js'
import { expectClose, expectError, expectFingerprint } from './support/compare.js'
import { detImages, labels } from './support/det.js'
import { openGolden } from './support/golden.js'
import { classes, createGoldenLearner, goldenEvaluation, goldenNameOf } from './support/goldenLearner.js'
import { valuesOf } from './support/model.js'

// The five golden steps through the trainer itself: a settings file, a run folder whose checkpoint holds the golden
// weights and bank, and the golden crops as its batches; five epochs of one batch.

const dir = mkdtempSync(join(tmpdir(), 'trex-golden-trainer-'))
afterAll(() => rmSync(dir, { recursive: true }))
beforeAll(() => setNumThreads(1))

const data: ImageDataset = {
  classes: Array.from({ length: classes }, (_, i) => `class ${i}`),
  train: [],
  val: [],
  ignored: {},
}

const settingsFile = (name: string, recipe: string, rest: string) => {
  const path = join(dir, `${name}.yaml`)
  writeFileSync(
    path,
    `
recipe: ${recipe}
encoder: resnet18
stem: imagenet
globalCrops: { size: 64 }
localCrops: { count: 2, size: 32 }
optimizer: { lr: 0.0128, weightDecay: 0.1, minLr: 1.0e-6, warmupEpochs: 2 }
epochs: 5
batchSize: 4
precision: fp32
device: cpu
channelsLast: false
workers: 0
watch: { tensorboard: false }
${rest}`,
  )
  return path
}

describe.each([
  ['ocm1', 'trex-star', 'onlineClassMeans: { size: 64 }'],
  ['ocm3', 'trex', 'onlineClassMeans: { size: 64 }'],
  ['plain1', 'trex-plain-1', ''],
  ['plain3', 'trex-plain-3', ''],
  ['plain0', 'trex-plain-1', 'temperature: 0'],
])('%s', (name, recipe, rest) => {
  const golden = openGolden(`e_${name}`)
  const layers = name === 'plain0' ? 'layers: 0, ' : ''
  const configFile = settingsFile(
    name,
    recipe,
    `${rest}\nprojector: { ${layers}hidden: 64, bottleneck: 32 }\n`,
  )

  test('settings file, run folder, five epochs: the original numbers', async () => {
    const settings = resolveSettings({ configFile })
    const run = createRun(join(dir, name), settings, describeData('train', dir, data))
    const initial = createGoldenLearner(golden)
    saveLearner(checkpointPath(run), initial, START)
    disposeLearner(initial)

    const learner = await trained(run, { resume: true, loader: goldenBatches() })
    const steps = readMetrics(run).filter((row) => row.kind === 'step')
    expect(steps.map(({ lr }) => lr)).toEqual(
      [...golden.f64('lr')].map((lr) => expect.closeTo(lr, 12) as unknown as number),
    )
    for (const [t, { loss }] of steps.entries()) {
      const error = Math.abs(loss - golden.f64(`f64.step${t}.loss`)[0]!)
      expectError(`trainer ${name} loss ${t <= 2 ? '0-2' : '3-4'}`, `step${t}`, error, t <= 2 ? 1e-4 : 1e-2)
    }
    const state = new Map([...learnerState(learner)].map(([key, tensor]) => [goldenNameOf(key), tensor]))
    for (const [key, expected] of golden.fingerprints('f64.final'))
      expectFingerprint(`trainer ${name} final`, key, valuesOf(state.get(key)!), expected, 1e-4)
    tidy(() => {
      const { images, labels } = goldenEvaluation()
      const logits = noGrad(() => learner.prototypes.logits(learner.model.eval().forward(images)))
      const truth = (what: string) => golden.f64(`f64.eval.${what}`)
      expectClose(`trainer ${name} evaluation`, 'logits', valuesOf(logits), truth('logits'), 1e-2)
      const loss = valuesOf(F.crossEntropy(logits, labels))
      expectClose(`trainer ${name} evaluation`, 'loss', loss, truth('loss'), 1e-2)
    })
    disposeLearner(learner)
  })
})

async function trained(run: Run, options: TrainOptions): Promise<Learner> {
  const events = train(run, data, options)
  for (;;) {
    const { value, done } = await events.next()
    if (done) return value
  }
}

/** One batch an epoch: the golden step of that number. */
function goldenBatches(): Loader {
  const close = async () => {}
  return {
    batches: 1,
    async *epoch(t, start = 0) {
      if (start > 0) return
      const local = [0, 1].map((i) => detImages(`e.step${t}.local${i}`, 4, 3, 32))
      const crops = [
        detImages(`e.step${t}.global0`, 4, 3, 64),
        Float32Array.from(local.flatMap((x) => [...x])),
      ]
      const batch: Batch = {
        ...{ epoch: t, index: 0, size: 4, crops, normalization: IMAGENET_NORMALIZATION, release() {} },
        labels: labels(`e.labels.step${t}`, 4, classes),
        indices: Uint32Array.of(0, 1, 2, 3),
      }
      yield batch
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
