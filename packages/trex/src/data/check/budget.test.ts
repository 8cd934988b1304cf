import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createBudget } from './budget.js'

test('in the order asked for; what is too large is done alone', async () => {
  const budget = createBudget(10)
  const began: number[] = []
  const ask = async (amount: number) => {
    const release = await budget.take(amount)
    began.push(amount)
    return release
  }
  const asked = [6, 5, 3, 99, 1].map(ask)
  await setImmediate()
  expect(began).toEqual([6]) // 3 would fit, but 5 was asked for before
  ;(await asked[0]!)()
  await setImmediate()
  expect(began).toEqual([6, 5, 3])
  ;(await asked[1]!)()
  await setImmediate()
  expect(began).toEqual([6, 5, 3])
  ;(await asked[2]!)()
  await setImmediate()
  expect(began).toEqual([6, 5, 3, 99])
  ;(await asked[3]!)()
  expect(await asked[4]).toBeTypeOf('function')
})

test('never more than the limit, unless alone, and all is done', async () => {
  const work = fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(work, async (amounts) => {
      const budget = createBudget(10)
      const held: number[] = []
      let done = 0
      await Promise.all(
        amounts.map(async (amount) => {
          const release = await budget.take(amount)
          held.push(amount)
          expect(held.length === 1 || held.reduce((a, b) => a + b) <= 10).toBe(true)
          await setImmediate()
          held.splice(held.indexOf(amount), 1)
          done++
          release()
        }),
      )
      expect(done).toBe(amounts.length)
    }),
  )
})
