import { type DType, F, noGrad, type Parameter, type Tensor, tidy } from 'trex-torch'
import { expect } from 'vitest'
import { createEncoder } from '../../src/method/encoder.js'
import { MultiCropModel } from '../../src/method/multiCropModel.js'
import { OnlineClassMeans } from '../../src/method/onlineClassMeans.js'
import type { Precision } from '../../src/method/precision.js'
import { Projector } from '../../src/method/projector.js'
import { countTopK } from '../../src/train/accuracy.js'
import { disposeLearner, type Learner, learnerState } from '../../src/train/learner.js'
import { trainStep } from '../../src/train/step.js'
import { expectClose, expectError, expectFingerprint } from './compare.js'
import { type Golden, openGolden } from './golden.js'
import { createGoldenLearner, goldenEvaluation, goldenInput, goldenNameOf } from './goldenLearner.js'
import { valuesOf } from './model.js'

const steps = [0, 1, 2, 3, 4]
const batch = 4

/**
 * How much further float32 may be from the truth on CUDA than on CPUs, for which the tolerances were measured: cuDNN
 * convolves by Winograd's algorithm among others, and batch norm of a few images magnifies what that rounds.
 */
const CUDA_SLACK = 10

/** How a golden run is repeated. */
export interface GoldenBuild {
  readonly dtype: Extract<DType, 'float32' | 'float64'>
  readonly channelsLast: boolean
  readonly device: Precision['device']
}

/** Repeats the five training steps of `e_<name>` and compares everything that the golden file knows of them. */
export function followGoldenSteps(name: string, { dtype, channelsLast, device }: GoldenBuild): void {
  const golden = openGolden(`e_${name}`)
  const learner = createGoldenLearner(golden, { dtype, channelsLast, precision: { device, dtype: null } })
  const initial = valuesOfState(learner)
  const where = device === 'cpu' ? '' : ` ${device}`
  const check = checks(golden, `${name} ${dtype}${channelsLast ? ' channelsLast' : ''}${where}`, {
    exact: dtype === 'float64',
    slack: device === 'cuda' ? CUDA_SLACK : 1,
  })
  const totals = { top1: 0, top5: 0, loss: 0 }
  for (const t of steps)
    tidy(() => {
      const input = goldenInput(t, dtype, device)
      const { pointer = 0 } = bankOf(learner) ?? {}
      const z = t === 0 ? embeddingOf(learner, golden, input.crops) : null
      const { loss, logits } = trainStep(learner, input, golden.f64('lr')[t]!)
      check.step(t, learner, { loss, logits, z, pointer })

      const [top1, top5] = countTopK(logits, input.labels.repeat(3), [1, 5]).map((count) => count.item() / 12)
      totals.top1 += (100 * top1!) / steps.length
      totals.top5 += (100 * top5!) / steps.length
      totals.loss += loss.item() / steps.length
    })
  check.final(learner, initial)
  check.totals(totals)
  check.evaluation(learner, dtype, device)
  disposeLearner(learner)
}

/** Everything a golden file knows, compared under one group of errors. */
function checks(golden: Golden, group: string, { exact, slack }: { exact: boolean; slack: number }) {
  const limit = (float32: number) => (exact ? 1e-10 : slack * float32)
  const truth = (key: string) => golden.f64(`f64.${key}`)
  const close = (what: string, key: string, actual: Float64Array, float32: number) =>
    expectClose(`${group} ${what}`, key, actual, truth(key), limit(float32))

  return {
    step(
      t: number,
      learner: Learner,
      { loss, logits, z, pointer }: { loss: Tensor; logits: Tensor; z: Tensor | null; pointer: number },
    ) {
      const key = `step${t}`
      const early = t <= 2
      close(early ? 'logits 0-2' : 'logits 3-4', `${key}.logits`, valuesOf(logits), early ? 1e-4 : 1e-2)
      const lossError = Math.abs(loss.item() - truth(`${key}.loss`)[0]!)
      expectError(`${group} ${early ? 'loss 0-2' : 'loss 3-4'}`, key, lossError, limit(early ? 1e-4 : 1e-2))
      if (z) close('embedding', `${key}.embedding`, valuesOf(z), 1e-4)

      const trained = new Map(trainedParameters(learner))
      const names = golden.json<string[]>('grad_norm_names')
      expect([...trained.keys()]).toEqual(names)
      const norms = truth(`${key}.grad_norms`)
      for (const [i, name] of names.entries()) {
        const norm = gradientNorm(trained.get(name)!)
        const scale = norms[isVanishing(name) ? names.indexOf(weightOf(name)) : i]!
        const tolerance = limit(early ? 1e-2 : 1e-1)
        expectError(
          `${group} gradients ${early ? '0-2' : '3-4'}`,
          `${key} ${name}`,
          Math.abs(norm - norms[i]!) / scale,
          tolerance,
        )
      }
      const conv1 = trained.get('model.encoder.conv1.weight')!
      close('weights', `${key}.conv1.first16`, valuesOf(conv1).subarray(0, 16), 1e-3)

      if (!(learner.prototypes instanceof OnlineClassMeans)) return
      const { memoryBank, momentumEncoder } = learner.prototypes
      const ema = momentumEncoder.model.stateDict().get('encoder.conv1.weight')!
      close('weights', `${key}.ema_conv1.first16`, valuesOf(ema).subarray(0, 16), 1e-3)
      expect(BigInt64Array.of(BigInt(memoryBank.pointer))).toEqual(golden.i64(`f64.${key}.memory.ptr`))
      const stored = memoryBank.features.narrow(0, pointer, batch)
      close('x_ema', `${key}.x_ema`, valuesOf(stored), 1e-3)
      close('prototypes', `${key}.prototypes`, valuesOf(memoryBank.prototypes()), 1e-3)
    },

    final(learner: Learner, initial: Map<string, Float64Array>) {
      const state = valuesOfState(learner)
      const trained = new Set(trainedParameters(learner).map(([name]) => name))
      const scaleOf = (all: Map<string, { stats: readonly [number, number, number] }>, name: string) =>
        all.get(isVanishing(name) ? weightOf(name) : name)!.stats[1]

      const final = golden.fingerprints('f64.final')
      const tracked = golden.json<Record<string, number>>('num_batches_tracked')
      expect(new Set(state.keys())).toEqual(
        new Set([...final.keys(), ...Object.keys(tracked), ...bankNames(learner)]),
      )
      for (const [name, expected] of final)
        expectFingerprint(`${group} final`, name, state.get(name)!, expected, limit(1e-4))
      for (const [name, count] of Object.entries(tracked))
        expect(state.get(name), name).toEqual(Float64Array.of(count))

      const delta = golden.fingerprints('f64.delta')
      for (const [name, expected] of delta) {
        const start = initial.get(name)!
        const moved = state.get(name)!.map((value, i) => value - start[i]!)
        const what = `${group} delta of ${trained.has(name) ? 'model' : 'momentum encoder'}`
        const scale = scaleOf(delta, name)
        // Five updates that round a weight of about that size.
        const rounding = (8 * norm2(start) * (exact ? 2 ** -53 : 2 ** -24)) / scale
        const l2Error = Math.abs(norm2(moved) - expected.stats[1]) / scale
        expectError(`${what}, l2`, name, l2Error, limit(1e-2) + rounding)
        expectFingerprint(what, name, moved, expected, limit(5e-2) + rounding, scale)
      }
      const momentum = golden.fingerprints('f64.momentum')
      const buffers = momentumBuffers(learner)
      expect(new Set(buffers.keys())).toEqual(new Set(momentum.keys()))
      for (const [name, expected] of momentum)
        expectFingerprint(
          `${group} momentum`,
          name,
          buffers.get(name)!,
          expected,
          limit(1e-1),
          scaleOf(momentum, name),
        )

      const prefix = 'f64.final.full.'
      for (const key of golden.names.filter((key) => key.startsWith(prefix)))
        close('whole tensors', key.slice(4), state.get(key.slice(prefix.length))!, 1e-3)
      const bank = bankOf(learner)
      if (!bank) return
      close('bank', 'final.memory.features', valuesOf(bank.features), 1e-3)
      expect(bank.labels.toTypedArray()).toEqual(golden.i64('f64.final.memory.labels'))
      expect(BigInt64Array.of(BigInt(bank.pointer))).toEqual(golden.i64('f64.final.memory.ptr'))
    },

    /** Top-1 and top-5 in per cent, and the loss, as the original averaged them over the steps. */
    totals({ top1, top5, loss }: { top1: number; top5: number; loss: number }) {
      const stats = golden.json<Record<string, number>>('train_stats')
      expect(top1).toBeCloseTo(stats['train/top1']!, 4)
      expect(top5).toBeCloseTo(stats['train/top5']!, 4)
      expectError(`${group} mean loss`, 'train_stats', Math.abs(loss - stats['train/loss']!), 1e-2)
    },

    evaluation({ model, prototypes }: Learner, dtype: GoldenBuild['dtype'], device: GoldenBuild['device']) {
      tidy(() => {
        const { images, labels } = goldenEvaluation(dtype, device)
        const logits = noGrad(() => prototypes.logits(model.eval().forward(images)))
        close('evaluation', 'eval.logits', valuesOf(logits), 1e-2)
        close('evaluation', 'eval.loss', valuesOf(F.crossEntropy(logits, labels)), 1e-2)
      })
      model.train()
    },
  }
}

/** A bias that batch norm takes away again: its gradient is what rounding leaves of 0. */
const isVanishing = (name: string) => name.endsWith('.fc.bias')
const weightOf = (bias: string) => bias.replace(/bias$/, 'weight')

function norm2(values: Float64Array): number {
  let squares = 0
  for (let i = 0; i < values.length; i++) squares += values[i]! ** 2
  return Math.sqrt(squares)
}

function gradientNorm(parameter: Parameter): number {
  return tidy(() => parameter.grad!.to('float64').norm().item())
}

const bankOf = ({ prototypes }: Learner) =>
  prototypes instanceof OnlineClassMeans ? prototypes.memoryBank : null
const bankNames = (learner: Learner) => (bankOf(learner) ? ['memory.features', 'memory.labels'] : [])

const valuesOfState = (learner: Learner): Map<string, Float64Array> =>
  new Map([...learnerState(learner)].map(([name, tensor]) => [goldenNameOf(name), valuesOf(tensor)]))

function trainedParameters({ model, prototypes }: Learner): [string, Parameter][] {
  const all = [...model.namedParameters('model'), ...prototypes.namedParameters('prototypes')]
  return all
    .filter(([, parameter]) => parameter.requiresGrad)
    .map(([name, parameter]) => [goldenNameOf(name), parameter])
}

/** Momentum buffers by golden name. */
function momentumBuffers({ optimizer, optimized }: Learner): Map<string, Float64Array> {
  const entries = [...optimizer.stateDict()].map(([key, buffer]): [string, Float64Array] => {
    expect(key).toMatch(/^\d+\.momentumBuffer$/)
    return [goldenNameOf(optimized[Number.parseInt(key, 10)]!), valuesOf(buffer)]
  })
  return new Map(entries)
}

/** What the model makes of the crops in training mode, computed by a copy that leaves its statistics alone. */
function embeddingOf({ model }: Learner, golden: Golden, crops: readonly Tensor[]): Tensor {
  const { L } = golden.json<{ L: number }>('case')
  const copy = new MultiCropModel(
    createEncoder('resnet18'),
    new Projector(512, { layers: L, hidden: 64, bottleneck: 32 }),
  )
  const { dtype, device } = crops[0]!
  copy.to({ dtype, device }).loadStateDict(model.stateDict())
  const z = noGrad(() => copy.embed(crops))
  copy.dispose()
  return z
}
