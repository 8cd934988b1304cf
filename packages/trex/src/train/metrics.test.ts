import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { resolveSettings } from '../config.js'
import { logMetrics, readMetrics, type StepRow, syncMetrics, truncateMetrics } from './metrics.js'
import { createRun } from './run.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-metrics-'))
afterAll(() => rmSync(dir, { recursive: true }))

const data = { madeBy: 'train' as const, root: dir, classes: [], trainImages: 0, valImages: 0, images: '' }
const run = createRun(join(dir, 'run'), resolveSettings({}), data)
const path = join(run.dir, 'metrics.jsonl')
const row = (step: number): StepRow => ({
  ...{ kind: 'step', epoch: 0, step, loss: 1, top1: 50, lr: 0.1, imagesPerSecond: 9, dataWait: 0 },
})

test('a resumed run keeps the whole rows of its checkpoint, however the file was left', () => {
  expect(syncMetrics(run)).toBe(0)
  logMetrics(run, [row(0), row(1)])
  const whole = readFileSync(path)
  expect(syncMetrics(run)).toBe(whole.length)
  const end = whole.length
  for (const [content, bytes, rows] of [
    [[whole, '{"kind":"st'], end, 2], // what came after the checkpoint
    [[whole, '{"kind":"st'], end + 11, 2], // a row cut short that the checkpoint has counted
    [[whole.subarray(0, -1)], end, 1], // rows that a power cut has taken
    [[whole], 0, 0],
  ] as const) {
    writeFileSync(path, Buffer.concat(content.map((part) => Buffer.from(part))))
    truncateMetrics(run, bytes)
    logMetrics(run, [row(7)])
    expect(readMetrics(run)).toEqual([row(0), row(1)].slice(0, rows).concat(row(7)))
  }
})

test('what is no row is left out', () => {
  writeFileSync(path, `\0\0\0\n${JSON.stringify(row(3))}\n{"kind":`)
  expect(readMetrics(run)).toEqual([row(3)])
})
