import { expect, test } from 'vitest'
import { watchPace } from './pace.js'

const told = (seconds: readonly number[]) => {
  const pace = watchPace()
  return seconds.flatMap((s, step) => {
    const text = pace(s)
    return text === null ? [] : [`${step}: ${text}`]
  })
}
const steps = (count: number, seconds: number) => Array<number>(count).fill(seconds)

test('steps that have become many times slower are told, once', () => {
  const notes = told([...steps(20, 0.1), ...steps(30, 5)])
  expect(notes).toEqual([expect.stringMatching(/^20: a step takes 11 times as long .*OMP_NUM_THREADS=1/)])
})

test('neither a slow start, nor a step in between, nor the usual ups and downs are', () => {
  expect(told([...steps(5, 9), ...steps(50, 0.1)])).toEqual([])
  expect(told([...steps(9, 1), 20, ...steps(9, 1)])).toEqual([])
  expect(told(Array.from({ length: 100 }, (_, i) => 1 + (i % 7)))).toEqual([])
})
