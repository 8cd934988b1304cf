import { type PartialSettings, resolveSettings } from '../config.js'
import type { Settings } from '../settings.js'

/** A number; text that is none is for the settings to refuse. */
type Numeric = number | string

/** The flags that are settings, as commander gives them. */
export interface SettingFlags {
  recipe?: string
  config?: string
  set: string[]
  encoder?: string
  initFrom?: string
  imageSize?: Numeric
  epochs?: Numeric
  optimizer?: string
  lr?: Numeric
  warmupEpochs?: Numeric
  clipNorm?: Numeric
  accumulate?: Numeric
  deterministic?: boolean
  saveEverySteps?: Numeric
  saveEveryMinutes?: Numeric
  keepEvery?: Numeric
  batchSize?: Numeric
  seed?: Numeric
  valFraction?: Numeric
  autoOrient?: boolean
  onBad?: string
  maxBad?: Numeric
  workers?: Numeric
  device?: string
  precision?: string
}

/** The settings of recipe, configuration file and flags. @throws TrexError as `resolveSettings` does. */
export function settingsOf(flags: SettingFlags): Settings {
  return resolveSettings({
    recipe: flags.recipe,
    configFile: flags.config,
    flags: settingsGiven(flags),
    sets: flags.set,
  })
}

/** The settings that flags stand for, unchecked. */
export function settingsGiven(flags: SettingFlags): PartialSettings {
  const { encoder, initFrom, imageSize, epochs, accumulate, deterministic } = flags
  const { batchSize, seed, workers, device, precision, autoOrient, onBad, maxBad } = flags
  const given = {
    ...{ encoder, initFrom, imageSize, epochs, accumulate, deterministic },
    ...{ batchSize, seed, workers, device, precision },
    optimizer: {
      name: flags.optimizer,
      lr: flags.lr,
      warmupEpochs: flags.warmupEpochs,
      clipNorm: orNull(flags.clipNorm),
    },
    checkpoints: {
      everySteps: orNull(flags.saveEverySteps),
      everyMinutes: orNull(flags.saveEveryMinutes),
      keepEvery: orNull(flags.keepEvery),
    },
    validation: { fraction: flags.valFraction },
    data: { autoOrient, onBad, maxBad },
  }
  return given as PartialSettings // resolveSettings checks the values
}

/** `none` as the settings write it. */
const orNull = (value: Numeric | undefined) => (value === 'none' ? null : value)
