import { expect, test } from 'vitest'
import { bestRows, formatTable, type ResultTable } from './table.js'

const table: ResultTable = {
  columns: ['emoji', 'unseen emoji', 'mean log odds'],
  rows: [
    { model: 'trex', cells: [46.31, 71.4, 1.284] },
    { model: 'plain', cells: [46.29, 62.8, -0.05] },
    { model: 'pixels', cells: [null, 9.96, null] },
  ],
  chance: [0.25, 10, null],
  notes: ['one run each'],
}

test('lines up figures, marks the best, shows what is missing', () => {
  expect(formatTable(table, { trex: 't-ReX', plain: 'Plain supervised' })).toBe(
    [
      '               t-ReX   Plain supervised   pixels   chance',
      '----------------------------------------------------------',
      'emoji           46.3               46.3        –     0.25',
      'unseen emoji    71.4*              62.8     10.0     10.0',
      'mean log odds  +1.28*             −0.05        –        –',
      '  one run each',
    ].join('\n'),
  )
})

test('figures that print alike share the mark; a column without two figures has none', () => {
  const column = (...values: (number | null)[]): ResultTable => ({
    columns: ['a', 'log odds'],
    rows: values.map((value, i) => ({ model: `m${i}`, cells: [value, null] })),
    notes: [],
  })
  expect([...bestRows(column(50.02, 49.98, 12), 0)]).toEqual([0, 1])
  expect([...bestRows(column(50.02, 49.98), 0)]).toEqual([])
  expect([...bestRows(column(50, null), 0)]).toEqual([])
  expect([...bestRows(column(Number.NaN, 3, 2), 0)]).toEqual([1])
})
