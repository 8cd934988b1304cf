import type { Parameter } from 'trex-torch'

/** Parameters that are trained with and without weight decay. */
export interface DecayGroups {
  regularized: [name: string, parameter: Parameter][]
  unregularized: [name: string, parameter: Parameter][]
}

/** Weight decay is for weights of 2 or more dimensions; biases and normalisation are spared. */
export function decayGroups(parameters: Iterable<readonly [string, Parameter]>): DecayGroups {
  const groups: DecayGroups = { regularized: [], unregularized: [] }
  for (const [name, parameter] of parameters) {
    if (!parameter.requiresGrad) continue
    const decays = parameter.dim >= 2 && !name.endsWith('.bias')
    groups[decays ? 'regularized' : 'unregularized'].push([name, parameter])
  }
  return groups
}
