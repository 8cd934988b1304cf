import type { Device } from 'trex-torch'
import type { Settings } from '../settings.js'
import type { SettingFlags } from './settingFlags.js'

/**
 * The flags with float32 where nobody asks for another precision: features are compared with those of other machines,
 * and a run's own precision is that of its training.
 */
export function withExactFeatures<F extends SettingFlags>(flags: F): F {
  const asked =
    flags.precision !== undefined ||
    flags.config !== undefined ||
    flags.set.some((item) => item.startsWith('precision='))
  return asked ? flags : { ...flags, precision: 'fp32' }
}

/** Images a step where none is asked for: large batches only pay on GPUs. */
const BATCH = { cpu: 16, cuda: 256 } as const

/** Images that features are computed of at once. */
export function batchSizeFor({ batchSize, set }: SettingFlags, settings: Settings, device: Device): number {
  const asked = batchSize !== undefined || set.some((item) => item.startsWith('batchSize='))
  return asked ? settings.batchSize : BATCH[device === 'cpu' ? 'cpu' : 'cuda']
}
