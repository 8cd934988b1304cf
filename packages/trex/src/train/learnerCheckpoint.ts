import { type Device, fromTypedArray, Generator, noGrad, type Tensor, tensorSources, tidy } from 'trex-torch'
import { typedArrayOf } from 'trex-torch/safetensors'
import { TrexError } from '../errors.js'
import { OnlineClassMeans } from '../method/onlineClassMeans.js'
import { type JsonValue, loadCheckpoint, saveCheckpoint } from './checkpoint.js'
import { type Learner, learnerState } from './learner.js'
import type { Position } from './position.js'

const RNG = 'rng.'

/** The default generators that a step may draw from. */
const generatorsOf = ({ precision }: Learner): Device[] => [...new Set<Device>(['cpu', precision.device])]

/** Optimizer tensors by the name of their parameter: `optimizer.model.encoder.conv1.weight.momentumBuffer`. */
export function* optimizerState({ optimizer, optimized }: Learner): Iterable<[string, Tensor]> {
  for (const [key, tensor] of optimizer.stateDict()) {
    const [index, name] = key.split('.') as [string, string]
    yield [`optimizer.${optimized[Number(index)]}.${name}`, tensor]
  }
}

/**
 * Saves everything a run needs to go on: weights, batch-norm statistics, momentum encoder, bank and pointer, optimizer,
 * scaler, generator and position.
 * @throws TrexError naming the path when it cannot be written; the previous checkpoint is intact then.
 */
export function saveLearner(path: string, learner: Learner, position: Position): void {
  const { prototypes, scaler } = learner
  const state = {
    position: position as unknown as JsonValue,
    scaler: scaler.state(),
    bankPointer: prototypes instanceof OnlineClassMeans ? prototypes.memoryBank.pointer : null,
  }
  const tensors = [
    ...tensorSources(learnerState(learner)),
    ...tensorSources(optimizerState(learner)),
    ...generatorsOf(learner).map((device) => {
      const data = Generator.of(device).state()
      return { name: `${RNG}${device}`, dtype: 'U8' as const, shape: [data.length], data }
    }),
  ]
  saveCheckpoint(path, { tensors, state })
}

/**
 * Puts a learner of the same settings in the state that was saved.
 * @throws TrexError when the file is missing or damaged, or fits another model.
 */
export function restoreLearner(path: string, learner: Learner): Position {
  const { tensors, state } = loadCheckpoint(path)
  const { position, scaler, bankPointer } = state as unknown as {
    position: Position
    scaler: { scale: number; growthTracker: number }
    bankPointer: number | null
  }
  try {
    tidy(() => {
      const read = (name: string) => {
        const raw = tensors.read(name)
        return fromTypedArray(typedArrayOf(raw), raw.shape)
      }
      const own = learnerState(learner)
      const momenta = new Map<string, Tensor>()
      const problems = [...own.keys()]
        .filter((name) => !tensors.entries.has(name))
        .map((name) => `${name} is missing`)
      for (const [name, { shape }] of tensors.entries) {
        const tensor = own.get(name)
        if (tensor && `${tensor.shape}` !== `${shape}`)
          problems.push(`${name} is [${shape}], not [${tensor.shape}]`)
        if (!tensor && !name.startsWith(RNG) && !name.startsWith('optimizer.'))
          problems.push(`${name} is unknown`)
      }
      if (problems.length) throw misfit(path, problems)
      for (const name of tensors.entries.keys()) {
        const tensor = own.get(name)
        if (tensor) noGrad(() => tidy(() => tensor.copy_(read(name))))
        else if (name.startsWith('optimizer.')) {
          const dot = name.lastIndexOf('.')
          const index = learner.optimized.indexOf(name.slice('optimizer.'.length, dot))
          if (index < 0) throw misfit(path, [`${name} belongs to no parameter`])
          momenta.set(`${index}.${name.slice(dot + 1)}`, read(name))
        }
      }
      learner.optimizer.loadStateDict(momenta)
      for (const device of generatorsOf(learner))
        if (tensors.entries.has(RNG + device)) Generator.of(device).setState(tensors.read(RNG + device).data)
    })
  } finally {
    tensors.close()
  }
  learner.scaler.loadState(scaler)
  if (learner.prototypes instanceof OnlineClassMeans) learner.prototypes.memoryBank.pointer = bankPointer ?? 0
  return position
}

function misfit(path: string, problems: string[]): TrexError {
  const shown = problems.slice(0, 5).join('; ')
  return new TrexError(`${path} fits another model: ${shown}${problems.length > 5 ? '; ...' : ''}`, {
    hint: 'continue a run with the settings it was started with',
  })
}
