import { Generator, GradScaler, type Parameter, SGD, type Tensor } from 'trex-torch'
import { createEncoder } from '../method/encoder.js'
import { MemoryBank } from '../method/memoryBank.js'
import { MomentumEncoder } from '../method/momentumEncoder.js'
import { MultiCropModel } from '../method/multiCropModel.js'
import { OnlineClassMeans } from '../method/onlineClassMeans.js'
import { Projector } from '../method/projector.js'
import { LearnedPrototypes, type Prototypes } from '../method/prototypes.js'
import type { Settings } from '../settings.js'
import { decayGroups } from './optimizer.js'
import type { Precision } from './precision.js'

/** All that learns, and how: what one training step reads and writes. */
export interface Learner {
  readonly model: MultiCropModel
  readonly prototypes: Prototypes & (LearnedPrototypes | OnlineClassMeans)
  readonly optimizer: SGD
  readonly scaler: GradScaler
  readonly precision: Precision
}

type LearnerSettings = Pick<
  Settings,
  'encoder' | 'stem' | 'projector' | 'temperature' | 'onlineClassMeans' | 'optimizer' | 'channelsLast' | 'seed'
>

/** Builds encoder, projector, prototypes and optimizer from settings, initialised from the settings' seed. */
export function createLearner(settings: LearnerSettings, classes: number, precision: Precision): Learner {
  const generator = new Generator(settings.seed)
  const model = createModel(settings, generator)
  const prototypes = createPrototypes(settings, model, classes, generator)
  const target = { device: precision.device, memoryFormat: settings.channelsLast ? 'channelsLast' : undefined } as const
  model.to(target as object)
  prototypes.to(target as object)
  return { model, prototypes, precision, ...createOptimizer(settings.optimizer, model, prototypes, precision) }
}

function createModel(settings: LearnerSettings, generator?: Generator): MultiCropModel {
  const encoder = createEncoder(settings.encoder, { stem: settings.stem, generator })
  const { projector } = settings
  return new MultiCropModel(encoder, projector ? new Projector(encoder.featureDim, { ...projector, generator }) : null)
}

function createPrototypes(
  settings: LearnerSettings,
  model: MultiCropModel,
  classes: number,
  generator: Generator,
): LearnedPrototypes | OnlineClassMeans {
  const { onlineClassMeans, temperature } = settings
  if (!onlineClassMeans) return new LearnedPrototypes(model.embeddingDim, classes, temperature, generator)
  const bank = new MemoryBank(onlineClassMeans.size, model.embeddingDim, classes, generator)
  const copy = createModel(settings, generator)
  return new OnlineClassMeans(bank, new MomentumEncoder(model, copy, onlineClassMeans.emaMomentum), temperature)
}

function createOptimizer(
  { sgdMomentum, weightDecay }: Settings['optimizer'],
  model: MultiCropModel,
  prototypes: LearnedPrototypes | OnlineClassMeans,
  precision: Precision,
): { optimizer: SGD; scaler: GradScaler } {
  const { regularized, unregularized } = decayGroups(trainedParameters({ model, prototypes }))
  const group = (entries: [string, Parameter][], decay: number) => ({ params: entries.map(([, p]) => p), weightDecay: decay })
  const optimizer = new SGD([group(unregularized, 0), group(regularized, weightDecay)], { lr: 0, momentum: sgdMomentum })
  return { optimizer, scaler: new GradScaler({ enabled: precision.dtype === 'float16' }) }
}

/** Model and prototypes under the names a checkpoint gives them. */
function* trainedParameters(learner: Pick<Learner, 'model' | 'prototypes'>): IterableIterator<[string, Parameter]> {
  yield* learner.model.namedParameters('model')
  yield* learner.prototypes.namedParameters('prototypes')
}

/** Every tensor of the learner but the optimizer's, by the name a checkpoint gives it. */
export function learnerState({ model, prototypes }: Pick<Learner, 'model' | 'prototypes'>): Map<string, Tensor> {
  return new Map([...model.stateDict('model'), ...prototypes.stateDict('prototypes')])
}
