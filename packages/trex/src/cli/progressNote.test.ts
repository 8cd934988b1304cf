import fc from 'fast-check'
import { expect, test } from 'vitest'
import { progressNote } from './progressNote.js'

const figures = { epoch: 2, loss: 2.314, top1: 41.2, lr: 0.1, imagesPerSecond: 152, dataWait: 0.02 }

test('has all parts where there is room', () => {
  expect(progressNote(figures)).toBe(
    'epoch   3 · loss  2.314 · top-1  41.2 % · lr   0.10 ·   152 img/s · data   2 %',
  )
})

test.each([
  [78, 'epoch   3 · loss  2.314 · top-1  41.2 % · lr   0.10 ·   152 img/s · data   2 %'],
  [77, 'epoch   3 · loss  2.314 · top-1  41.2 % ·   152 img/s · data   2 %'],
  [60, 'epoch   3 · loss  2.314 · top-1  41.2 % ·   152 img/s'],
  [45, 'epoch   3 · loss  2.314 · top-1  41.2 %'],
  [30, 'epoch   3 · loss  2.314'],
  [20, 'loss  2.314'],
  [0, 'loss  2.314'],
])('in %i columns it is %j', (columns, note) => expect(progressNote({ ...figures, columns })).toBe(note))

test('leaves out a top-1 that is not known', () => {
  const { top1: _, ...others } = figures
  expect(progressNote(others)).not.toContain('top-1')
})

test.each([
  [{ loss: 12.3456 }, 'loss 12.346'],
  [{ loss: 100 }, 'loss  100.0'],
  [{ loss: 1e12 }, 'loss  1e+12'],
  [{ loss: Number.NaN }, 'loss    NaN'],
  [{ lr: 0 }, 'lr    0.0 '],
  [{ lr: 0.00123 }, 'lr 0.0012 '],
  [{ lr: 0.00096 }, 'lr 9.6e-4 '],
  [{ lr: 0.00000066 }, 'lr 6.6e-7 '],
  [{ imagesPerSecond: 5.25 }, '  5.3 img/s'],
  [{ imagesPerSecond: 99.96 }, '  100 img/s'],
  [{ dataWait: 1 }, 'data 100 %'],
])('%j is shown as %j', (change, part) => expect(progressNote({ ...figures, ...change })).toContain(part))

test('has one width, whatever the figures', () => {
  const real = (min: number, max: number) => fc.double({ min, max, noNaN: true })
  fc.assert(
    fc.property(
      fc.record({
        epoch: fc.integer({ min: 0, max: 998 }),
        ...{ loss: real(0, 1e9), top1: real(0, 100), lr: real(1e-9, 1e9), imagesPerSecond: real(0, 99_999) },
        dataWait: real(0, 1),
      }),
      fc.integer({ min: 0, max: 90 }),
      (some, columns) => {
        expect(progressNote(some)).toHaveLength(78)
        expect(progressNote({ ...some, columns })).toHaveLength(progressNote({ ...figures, columns }).length)
      },
    ),
  )
})
