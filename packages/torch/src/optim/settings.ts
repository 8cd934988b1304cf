import type { Parameter } from '../tensor/tensor.js'

/** Parameters that share their settings; `lr` and `weightDecay` may be changed between steps. */
export interface ParameterGroup {
  params: readonly Parameter[]
  /** The learning rate. */
  lr: number
  weightDecay: number
}

/** A group as optimizers take it: settings that are left out are the optimizer's own. */
export type GroupSettings = { params: readonly Parameter[]; lr?: number; weightDecay?: number }

/**
 * Checks that a setting is a finite number of at least 0, and below `limit` where there is one.
 * @throws TypeError, RangeError with the setting's name and value.
 */
export function checkSetting(name: string, value: number, limit = Infinity): void {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${value}`)
  if (!(value >= 0 && value < limit)) {
    const range = limit === Infinity ? 'finite and at least 0' : `at least 0 and below ${limit}`
    throw new RangeError(`${name} must be ${range}, got ${value}`)
  }
}

/** One group of plain parameters, or groups whose missing settings are the defaults. */
export function parameterGroups(
  params: readonly Parameter[] | readonly GroupSettings[],
  defaults: { lr: number; weightDecay: number },
): ParameterGroup[] {
  const groups =
    params.length && 'params' in params[0]!
      ? (params as GroupSettings[])
      : [{ params: params as Parameter[] }]
  return groups.map((group: GroupSettings) => ({
    ...group,
    lr: group.lr ?? defaults.lr,
    weightDecay: group.weightDecay ?? defaults.weightDecay,
  }))
}
