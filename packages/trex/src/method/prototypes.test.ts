import { Generator, noGrad, tidy } from 'trex-torch'
import { expect, test } from 'vitest'
import { prototypeDrift } from '../analysis/prototypeDrift.js'
import { LearnedPrototypes } from './prototypes.js'

test.each([0.1, 0])('learned prototypes with temperature %d are seen to move', (temperature) => {
  const prototypes = new LearnedPrototypes(2, 1, temperature, new Generator(1))
  tidy(() => {
    noGrad(() => prototypes.weight.fill_(1))
    const before = prototypes.vectors()
    noGrad(() => prototypes.weight.mul_(-1))
    expect(prototypeDrift(before, prototypes.vectors()).item()).toBeCloseTo(2, 6) // the other way round
  })
  prototypes.dispose()
})
