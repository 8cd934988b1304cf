import { bestDevice, engineInfo } from 'trex-torch'
import { TrexError } from '../errors.js'
import type { Precision } from '../method/precision.js'
import type { Settings } from '../settings.js'

/**
 * Resolves `auto`: the best device there is; bf16 where the processor or GPU multiplies it, else fp32.
 * @throws TrexError when CUDA is asked for and missing, or fp16 is asked for on a CPU.
 */
export function resolvePrecision({ device, precision }: Pick<Settings, 'device' | 'precision'>): Precision {
  const info = engineInfo()
  const chosen = device === 'auto' ? bestDevice() : device
  if (chosen === 'cuda' && !info.cuda)
    throw new TrexError('device is cuda, but this libtorch sees no CUDA device', {
      hint: 'run `trex doctor`; point PYTHON at a Python whose torch has CUDA, or use --device cpu',
    })
  if (precision === 'fp16' && chosen === 'cpu')
    throw new TrexError('precision is fp16, which CPUs do not compute', {
      hint: 'use --precision bf16 or fp32',
    })
  const fast = chosen === 'cuda' || info.bf16
  const resolved = precision === 'auto' ? (fast ? 'bf16' : 'fp32') : precision
  return {
    device: chosen,
    dtype: { fp32: null, bf16: 'bfloat16', fp16: 'float16' }[resolved] as Precision['dtype'],
  }
}

/** The settings that `auto` stands for here, as a run records them: a resumed run computes as it was started. */
export function resolveAuto(
  settings: Pick<Settings, 'device' | 'precision'>,
): Pick<Settings, 'device' | 'precision'> {
  const { device, dtype } = resolvePrecision(settings)
  const precision = dtype === null ? 'fp32' : dtype === 'float16' ? 'fp16' : 'bf16'
  return { device: device.startsWith('cuda') ? 'cuda' : 'cpu', precision }
}
