import type { Device } from 'trex-torch'
import type { Settings } from '../settings.js'
import type { SettingFlags } from './settingFlags.js'

/** Images a step where none is asked for: large batches only pay on GPUs. */
const BATCH = { cpu: 16, cuda: 256 } as const

/** Images that features are computed of at once. */
export function batchSizeFor({ batchSize, set }: SettingFlags, settings: Settings, device: Device): number {
  const asked = batchSize !== undefined || set.some((item) => item.startsWith('batchSize='))
  return asked ? settings.batchSize : BATCH[device === 'cpu' ? 'cpu' : 'cuda']
}
