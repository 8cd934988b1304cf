import { closeSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tensor, zeros } from 'trex-torch'
import { afterAll, expect, test } from 'vitest'
import { resolveSettings } from '../config.js'
import type { Batch } from '../data/loader/loader.js'
import { IMAGENET_NORMALIZATION } from '../data/pixels/normalize.js'
import { NonFinite } from './failure.js'
import { openJournal } from './journal.js'
import { readMetrics } from './metrics.js'
import { START } from './position.js'
import { createRun } from './run.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-journal-'))
afterAll(() => rmSync(dir, { recursive: true }))

const data = { madeBy: 'train' as const, root: dir, classes: [], trainImages: 0, valImages: 0, images: '' }
const open = (name: string) => {
  const run = createRun(join(dir, name), resolveSettings({}), data)
  return { run, journal: openJournal(run, START, { steps: 9, perEpoch: 9, logEvery: 1, device: 'cpu' }) }
}
const result = (loss: number) => ({
  loss: tensor(loss),
  logits: zeros([2, 3]),
  targets: zeros([2], { dtype: 'int64' }),
})
const facts = (step: number) => ({ epoch: 0, step, lr: 0.1, images: 2 })

async function* batches(count: number): AsyncGenerator<Batch> {
  const nothing = { crops: [], normalization: IMAGENET_NORMALIZATION }
  const empty = { ...nothing, epoch: 0, size: 2, labels: new BigInt64Array(2), indices: new Uint32Array(2) }
  for (let index = 0; index < count; index++) yield { ...empty, index, release() {} }
}

/** Closes an open file of this process under those that write it: from then on the system refuses. */
function pullAway(name: string): void {
  for (const descriptor of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${descriptor}`).includes(name)) closeSync(Number(descriptor))
    } catch {} // the one that lists the folder is gone
  }
}

const linux = process.platform === 'linux'
test.skipIf(!linux)(
  `TensorBoard's file may fail, the checkpoint does not${linux ? '' : ' (skipped: needs /proc)'}`,
  async () => {
    const { run, journal } = open('curves')
    using _journal = journal
    pullAway('/curves/events.out.tfevents.')
    for await (const { index: step } of journal.timed(batches(2))) {
      journal.add(step, facts(step), result(2))
      const told = [...journal.look()].map((event) => event.kind)
      expect(told).toEqual(step === 0 ? ['note', 'step'] : ['step'])
    }
    expect(journal.whole).toBe(true)
    const position = journal.position()
    expect(position).toMatchObject({ batch: 2, totals: { images: 4, loss: 8 } })
    expect([...journal.flush()]).toEqual([])
    expect(readMetrics(run)).toHaveLength(2)
  },
)

test.skipIf(!linux)(`nor if only its sync fails${linux ? '' : ' (skipped: needs /proc)'}`, () => {
  const { journal } = open('sync')
  using _journal = journal
  pullAway('/sync/events.out.tfevents.')
  expect(journal.position()).toMatchObject({ metricsBytes: 0 })
  expect([...journal.flush()]).toEqual([
    { kind: 'note', text: expect.stringMatching(/^TensorBoard's curves end here: .*tfevents.*: EBADF/) },
  ])
})

test('it is not whole within a step, nor after a loss that is not finite', async () => {
  const { journal } = open('whole')
  using _journal = journal
  expect(journal.whole).toBe(true)
  for await (const { index } of journal.timed(batches(1))) {
    expect(journal.whole).toBe(false)
    journal.add(index, facts(index), result(Number.NaN))
    expect(journal.whole).toBe(true)
  }
  expect(() => [...journal.look()]).toThrow(NonFinite)
  expect(journal.whole).toBe(false)
})
