import {
  allFinite,
  Generator,
  GradScaler,
  type Optimizer,
  type Parameter,
  type Tensor,
  tidy,
} from 'trex-torch'
import { createEncoder } from '../method/encoder.js'
import { MemoryBank } from '../method/memoryBank.js'
import { MomentumEncoder } from '../method/momentumEncoder.js'
import { MultiCropModel } from '../method/multiCropModel.js'
import { OnlineClassMeans } from '../method/onlineClassMeans.js'
import type { Precision } from '../method/precision.js'
import { Projector } from '../method/projector.js'
import { LearnedPrototypes } from '../method/prototypes.js'
import type { Settings } from '../settings.js'
import { createOptimizer, decayGroups } from './optimizer.js'

/** All that learns, and how: what one training step reads and writes. */
export interface Learner {
  readonly model: MultiCropModel
  readonly prototypes: LearnedPrototypes | OnlineClassMeans
  readonly optimizer: Optimizer
  /** Names of the optimizer's parameters, in its order. */
  readonly optimized: readonly string[]
  readonly scaler: GradScaler
  readonly precision: Precision
}

/** The settings that decide what is built. */
export type ModelSettings = Pick<Settings, 'encoder' | 'stem' | 'vit' | 'projector'> & {
  readonly globalCrops: { readonly size: number }
}
type LearnerSettings = ModelSettings &
  Pick<Settings, 'temperature' | 'onlineClassMeans' | 'optimizer' | 'channelsLast' | 'seed'>

/** Builds encoder, projector, prototypes and optimizer from settings, initialised from the settings' seed. */
export function createLearner(settings: LearnerSettings, classes: number, precision: Precision): Learner {
  const generator = new Generator(settings.seed)
  const model = createModel(settings, generator)
  const prototypes = createPrototypes(settings, model, classes, generator)
  const memoryFormat = settings.channelsLast ? 'channelsLast' : 'contiguous'
  for (const part of [model, prototypes]) part.to({ device: precision.device, memoryFormat })
  const groups = decayGroups(namedParameters({ model, prototypes }))
  return {
    model,
    prototypes,
    optimizer: createOptimizer(groups, settings.optimizer),
    optimized: [...groups.unregularized, ...groups.regularized].map(([name]) => name),
    scaler: new GradScaler({ enabled: precision.dtype === 'float16' }),
    precision,
  }
}

/** Encoder and projector. */
export function createModel(settings: ModelSettings, generator?: Generator): MultiCropModel {
  const { stem, vit, globalCrops, projector } = settings
  const encoder = createEncoder(settings.encoder, { stem, vit, imageSize: globalCrops.size, generator })
  return new MultiCropModel(
    encoder,
    projector ? new Projector(encoder.featureDim, { ...projector, generator }) : null,
  )
}

function createPrototypes(
  settings: LearnerSettings,
  model: MultiCropModel,
  classes: number,
  generator: Generator,
): Learner['prototypes'] {
  const { onlineClassMeans, temperature } = settings
  if (!onlineClassMeans) return new LearnedPrototypes(model.embeddingDim, classes, temperature, generator)
  const bank = new MemoryBank(onlineClassMeans.size, model.embeddingDim, classes, generator)
  // It only observes: leaving out blocks by chance would add noise to the class means. DINO's teacher has none either.
  const whole = createModel({ ...settings, vit: { ...settings.vit, dropPath: 0 } }, generator)
  const momentumEncoder = new MomentumEncoder(model, whole, onlineClassMeans.emaMomentum)
  return new OnlineClassMeans(bank, momentumEncoder, temperature)
}

/** Model and prototypes under the names a checkpoint gives them. */
export function* namedParameters({
  model,
  prototypes,
}: Pick<Learner, 'model' | 'prototypes'>): Iterable<[string, Parameter]> {
  yield* model.namedParameters('model')
  yield* prototypes.namedParameters('prototypes')
}

/** Every tensor of the learner but the optimizer's, by the name a checkpoint gives it. */
export function learnerState({
  model,
  prototypes,
}: Pick<Learner, 'model' | 'prototypes'>): Map<string, Tensor> {
  return new Map([...model.stateDict('model'), ...prototypes.stateDict('prototypes')])
}

/** Whether no weight has become infinite or NaN; waits for the device. */
export function hasFiniteWeights({ model, prototypes }: Learner): boolean {
  const weights = [...namedParameters({ model, prototypes })].map(([, weight]) => weight)
  return tidy(() => Boolean(allFinite(weights).item()))
}

/**
 * Whether nothing that a checkpoint holds has become infinite or NaN: weights, batch-norm statistics, momentum encoder,
 * bank and optimizer; waits for the device.
 */
export function hasFiniteState(learner: Learner): boolean {
  const tensors = [...learnerState(learner).values(), ...learner.optimizer.stateDict().values()]
  return tidy(() => Boolean(allFinite(tensors.filter(({ dtype }) => dtype.includes('float'))).item()))
}

/** Disposes a learner at the end of its scope, unless `release` has handed it on. */
export function ownLearner(learner: Learner): Disposable & { learner: Learner; release(): Learner } {
  let owned = true
  return {
    learner,
    release() {
      owned = false
      return learner
    },
    [Symbol.dispose]() {
      if (owned) disposeLearner(learner)
    },
  }
}

/** Releases everything the learner holds. */
export function disposeLearner(learner: Learner): void {
  learner.model.dispose()
  learner.prototypes.dispose()
  for (const tensor of learner.optimizer.stateDict().values()) tensor.dispose()
  learner.scaler.dispose()
}
