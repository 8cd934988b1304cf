import { type Device, type DType, fromTypedArray, type Tensor, tidy } from 'trex-torch'
import { OnlineClassMeans } from '../../src/method/onlineClassMeans.js'
import type { Precision } from '../../src/method/precision.js'
import { TREX } from '../../src/recipes.js'
import { createLearner, type Learner } from '../../src/train/learner.js'
import type { StepInput } from '../../src/train/step.js'
import { det, detImages, labels } from './det.js'
import type { Golden } from './golden.js'
import { filledState } from './model.js'

/** Classes of the whole-model golden runs. */
export const classes = 10

/** A run's settings: L, rows of the memory (0: learned prototypes), temperature and EMA momentum. */
interface Case {
  L: number
  mem: number
  tau: number
  ema?: number
}

const cpu: Precision = { device: 'cpu', dtype: null }

/** Builds the learner of a golden file `e_*` and gives it the run's initial state. */
export function createGoldenLearner(
  golden: Golden,
  { dtype = 'float32' as DType, precision = cpu, channelsLast = false } = {},
): Learner {
  const { L, mem, tau, ema } = golden.json<Case>('case')
  const settings = {
    encoder: 'resnet18',
    stem: 'imagenet',
    vit: TREX.vit,
    globalCrops: TREX.globalCrops,
    projector: { layers: L, hidden: 64, bottleneck: 32, l2Input: true },
    temperature: tau,
    onlineClassMeans: mem ? { size: mem, emaMomentum: ema! } : null,
    optimizer: { ...TREX.optimizer, weightDecay: 0.1, warmupEpochs: 2 },
    channelsLast,
    seed: 1,
  } as const
  const learner = createLearner(settings, classes, precision)
  const { model, prototypes } = learner
  const goldenName = (key: string) => key.replace('projector.', 'head.')
  tidy(() => {
    const state = filledState(model, 'e.model.', 'default', goldenName)
    model.loadStateDict(state)
    if (prototypes instanceof OnlineClassMeans) {
      prototypes.momentumEncoder.model.loadStateDict(state)
      const features = det(`e.memory.features.${mem}`, [mem, 32], Math.sqrt(3))
      const rows = new Map([
        ['features', fromTypedArray(features, [mem, 32])],
        ['labels', fromTypedArray(labels(`e.memory.labels.${mem}`, mem, classes), [mem])],
      ])
      prototypes.memoryBank.loadStateDict(rows)
    } else prototypes.loadStateDict(filledState(prototypes, 'e.clf.', 'default', (key) => `fc.${key}`))
  })
  if (dtype !== 'float32') {
    model.to({ dtype })
    prototypes.to({ dtype })
  }
  return learner
}

/** The name a golden file has for an entry of `learnerState`. */
export const goldenNameOf = (name: string): string =>
  name
    .replace(/^prototypes\.momentum_encoder\.model\./, 'model_ema.')
    .replace(/^prototypes\.memory_bank\./, 'memory.')
    .replace(/^prototypes\.weight$/, 'clf.fc.weight')
    .replace(/^(model|model_ema)\.projector\./, '$1.head.')

/** What step `t` of every golden run learns from: one global crop of 64 px and two local ones of 32 px. */
export function goldenInput(t: number, dtype: DType = 'float32', device: Device = 'cpu'): StepInput {
  const crops = [
    fromTypedArray(detImages(`e.step${t}.global0`, 4, 3, 64), [4, 3, 64, 64], { dtype, device }),
    fromTypedArray(detImages(`e.step${t}.local0`, 4, 3, 32), [4, 3, 32, 32], { dtype, device }),
    fromTypedArray(detImages(`e.step${t}.local1`, 4, 3, 32), [4, 3, 32, 32], { dtype, device }),
  ]
  return { crops, labels: labelTensor(`e.labels.step${t}`, 4, device) }
}

/** The images and labels of the evaluation after the last step. */
export function goldenEvaluation(
  dtype: DType = 'float32',
  device: Device = 'cpu',
): { images: Tensor; labels: Tensor } {
  const images = fromTypedArray(detImages('e.eval', 6, 3, 64), [6, 3, 64, 64], { dtype, device })
  return { images, labels: labelTensor('e.eval.labels', 6, device) }
}

const labelTensor = (name: string, n: number, device: Device) =>
  fromTypedArray(labels(name, n, classes), [n], { device })
