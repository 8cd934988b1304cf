import { fromTypedArray, liveTensors, tensor } from 'trex-torch'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openMeter } from './meter.js'

const facts = { epoch: 0, step: 0, lr: 0.1, images: 2 }
/** Two crops, of which one is right. */
const result = () => ({
  loss: tensor(0.5),
  logits: tensor([
    [1, 0],
    [1, 0],
  ]),
  targets: fromTypedArray(BigInt64Array.of(0n, 1n), [2]),
})

test('only waiting and work are counted: not what comes before the first wait, nor after a read', () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const pass = (ms: number) => vi.advanceTimersByTime(ms)
  using meter = openMeter()
  pass(200)
  meter.wait()
  pass(60)
  meter.begin()
  pass(30)
  meter.add(facts, result())
  pass(10)
  expect(meter.read()).toEqual([
    { ...facts, loss: 0.5, crops: 2, hits: 1, seconds: expect.closeTo(0.1), waited: expect.closeTo(0.06) },
  ])
  meter.wait() // there are no more images: an epoch ends
  expect(meter.read()).toEqual([])
  pass(500) // a validation, a checkpoint
  meter.wait()
  pass(2)
  meter.begin()
  pass(30)
  meter.add(facts, result())
  meter.wait()
  pass(40)
  meter.begin()
  meter.add({ ...facts, step: 1 }, result())
  const time = { seconds: expect.closeTo(0.036), waited: expect.closeTo(0.021) } // means of the two
  expect(meter.read()).toMatchObject([
    { step: 0, ...time },
    { step: 1, ...time },
  ])
})

test('what was not read is disposed with the meter', () => {
  const before = liveTensors()
  {
    using meter = openMeter()
    const { loss, logits, targets } = result()
    meter.add(facts, { loss, logits, targets })
    for (const t of [loss, logits, targets]) t.dispose()
    expect(meter.pending).toBe(1)
  }
  expect(liveTensors()).toBe(before)
})
