import { setNumThreads } from 'trex-torch'
import { beforeAll, describe, test } from 'vitest'
import { followGoldenSteps } from './support/goldenSteps.js'

// Five steps of whole models against the float64 truth. In float32 a few ReLUs at the rounding edge flip, here or there
// according to the processor, and batch statistics of few values amplify it once the learning rate is not 0: from step 3
// on only a float64 build is compared closely.

const builds = [
  { dtype: 'float32', channelsLast: false },
  { dtype: 'float64', channelsLast: false },
  { dtype: 'float64', channelsLast: true },
] as const

beforeAll(() => setNumThreads(1))

describe.each(['ocm1', 'ocm3', 'plain0', 'plain1', 'plain3'])('%s', (name) => {
  test.each(builds)('five steps in $dtype, channelsLast $channelsLast', (build) =>
    followGoldenSteps(name, { ...build, device: 'cpu' }),
  )
})
