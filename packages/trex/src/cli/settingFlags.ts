import { type PartialSettings, resolveSettings } from '../config.js'
import type { Settings } from '../settings.js'

/** The flags that are settings, as commander gives them. */
export interface SettingFlags {
  recipe?: string
  config?: string
  set: string[]
  encoder?: PartialSettings['encoder']
  initFrom?: string
  imageSize?: number
  epochs?: number
  batchSize?: number
  warmupEpochs?: number
  seed?: number
  valFraction?: number
  autoOrient?: boolean
  onBad?: Settings['data']['onBad']
  maxBad?: number
  workers?: number
  device?: PartialSettings['device']
  precision?: PartialSettings['precision']
}

/** The settings of recipe, configuration file and flags. @throws TrexError as `resolveSettings` does. */
export function settingsOf(flags: SettingFlags): Settings {
  const { encoder, initFrom, imageSize, epochs, batchSize, seed, workers, device, precision } = flags
  const { autoOrient, onBad, maxBad } = flags
  return resolveSettings({
    recipe: flags.recipe,
    configFile: flags.config,
    flags: {
      encoder,
      initFrom,
      imageSize,
      epochs,
      batchSize,
      seed,
      workers,
      device,
      precision,
      optimizer: { warmupEpochs: flags.warmupEpochs },
      validation: { fraction: flags.valFraction },
      data: { autoOrient, onBad, maxBad },
    },
    sets: flags.set,
  })
}
