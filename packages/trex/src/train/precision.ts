import { bestDevice, engineInfo, setCudnnBenchmark, setDeterministic, setTf32 } from 'trex-torch'
import { TrexError } from '../errors.js'
import type { Precision } from '../method/precision.js'
import type { Settings } from '../settings.js'

const DTYPES = { fp32: null, bf16: 'bfloat16', fp16: 'float16' } as const

/** Device and precision as settings name them, without `auto`. */
export interface ResolvedPrecision {
  readonly device: 'cpu' | 'cuda'
  readonly precision: keyof typeof DTYPES
}

/**
 * What `auto` stands for here, as a run records it, so that a resumed run computes as it was started: the best device
 * there is; bf16 where the processor or GPU multiplies it, else fp32.
 * @throws TrexError when CUDA is asked for and missing, or fp16 is asked for on a CPU.
 */
export function resolveAuto({
  device,
  precision,
}: Pick<Settings, 'device' | 'precision'>): ResolvedPrecision {
  const info = engineInfo()
  const chosen = device === 'auto' ? bestDevice() : device
  if (chosen === 'cuda' && !info.cuda)
    throw new TrexError('device is cuda, but this libtorch sees no CUDA device', {
      hint: 'run `trex doctor`; point PYTHON at a Python whose torch has CUDA, or use --device cpu (a run to resume has it in RUN/config.yaml)',
    })
  if (precision === 'fp16' && chosen === 'cpu')
    throw new TrexError('precision is fp16, which CPUs do not compute', {
      hint: 'use --precision bf16 or fp32 (a run to resume has it in RUN/config.yaml)',
    })
  const fast = chosen === 'cuda' || info.bf16
  return { device: chosen, precision: precision === 'auto' ? (fast ? 'bf16' : 'fp32') : precision }
}

/** `resolveAuto` as models compute with it. @throws TrexError as `resolveAuto` does. */
export function resolvePrecision(settings: Pick<Settings, 'device' | 'precision'>): Precision {
  const { device, precision } = resolveAuto(settings)
  return { device, dtype: DTYPES[precision] }
}

/**
 * Sets up the process to compute as the settings say, before its first operator: TF32, and either deterministic kernels
 * or whichever cuDNN finds to be the fastest. On CPUs only `deterministic` matters.
 */
export function applyPrecision({ tf32, deterministic }: Pick<Settings, 'tf32' | 'deterministic'>): void {
  setTf32(tf32)
  setDeterministic(deterministic)
  setCudnnBenchmark(!deterministic)
}
