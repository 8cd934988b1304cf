import { expect, test } from 'vitest'
import type { Learner } from '../train/learner.js'
import type { TrainEvent } from '../train/train.js'
import { followTraining } from './follow.js'

test('a run whose progress cannot be shown is ended, and the first error counts', async () => {
  let ended = false
  async function* events(): AsyncGenerator<TrainEvent, Learner> {
    try {
      yield { kind: 'init', report: null as never } // which cannot be described
      throw new Error('it went on')
    } finally {
      ended = true
      // biome-ignore lint/correctness/noUnsafeFinally: what a disposer may do
      throw new Error('the second')
    }
  }
  await expect(followTraining(events())).rejects.toThrow(TypeError)
  expect(ended).toBe(true)
})
