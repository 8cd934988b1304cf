import { AdamW, type Optimizer, type Parameter, SGD } from 'trex-torch'
import type { Settings } from '../settings.js'

/** Parameters that are trained with and without weight decay. */
export interface DecayGroups {
  regularized: [name: string, parameter: Parameter][]
  unregularized: [name: string, parameter: Parameter][]
}

/**
 * Weight decay is for weights of 2 or more dimensions; biases and normalisation are spared. The class token and the
 * position embedding of a vision transformer have 3 dimensions, so they decay, as they do in DINO.
 */
export function decayGroups(parameters: Iterable<readonly [string, Parameter]>): DecayGroups {
  const groups: DecayGroups = { regularized: [], unregularized: [] }
  for (const [name, parameter] of parameters) {
    if (!parameter.requiresGrad) continue
    const decays = parameter.dim >= 2 && !name.endsWith('.bias')
    groups[decays ? 'regularized' : 'unregularized'].push([name, parameter])
  }
  return groups
}

/** The group of `createOptimizer` that has weight decay. */
const REGULARIZED = 1

/**
 * The optimizer that the settings name, over both groups, the unregularized first; its learning rate is 0 until one is
 * set.
 */
export function createOptimizer(
  { regularized, unregularized }: DecayGroups,
  { name, sgdMomentum, betas, weightDecay }: Settings['optimizer'],
): Optimizer {
  const params = (entries: DecayGroups['regularized']) => entries.map(([, parameter]) => parameter)
  const groups = [
    { params: params(unregularized), weightDecay: 0 },
    { params: params(regularized), weightDecay },
  ]
  if (name === 'adamw') return new AdamW(groups, { lr: 0, betas })
  return new SGD(groups, { lr: 0, momentum: sgdMomentum })
}

/** Sets the weight decay of what is regularised, from the next step on. */
export function setWeightDecay({ optimizer }: { readonly optimizer: Optimizer }, value: number): void {
  optimizer.groups[REGULARIZED]!.weightDecay = value
}
