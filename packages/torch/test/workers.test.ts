import { beforeAll, describe, expect, test } from 'vitest'
import { ensureDist, runScript } from './support/child.js'

beforeAll(ensureDist)

function resultOf(script: string, args: string[]): unknown {
  const { status, signal, lines, stderr } = runScript(`test/workers/${script}`, { args })
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' })
  return JSON.parse(lines.at(-1)!)
}

describe('terminate() in the middle of', () => {
  test.each([
    ['a loop of operators', 'ops'],
    ['a loop that leaves its tensors', 'untidyOps'],
    ['backward of a convolutional net', 'backward'],
    ['making tensors of SharedArrayBuffers', 'shared'],
  ])('%s, 20 times', (_what, job) => {
    const result = resultOf('terminate.mjs', [job, '20']) as {
      ended: number
      checks: number
      wrong: number
      leaked: number
    }
    expect(result).toMatchObject({ ended: 20, wrong: 0, leaked: 0 })
    expect(result.checks).toBeGreaterThan(10)
  })
})

describe('workers', () => {
  test('compute at the same time as the main thread, with its results', () => {
    expect(resultOf('together.mjs', ['parallel'])).toEqual({ sums: 40, a: true, b: true })
  })

  test('may be the only ones with the addon, and end in every way with live tensors', () => {
    expect(resultOf('together.mjs', ['workersOnly'])).toEqual([
      { messages: [2], error: null, code: 0 },
      { messages: [], error: null, code: 7 },
      { messages: [], error: 'on purpose', code: 1 },
      { messages: [2], error: null, code: 0 },
      { sum: 'number', code: 0 },
    ])
  })

  test('keep the number of threads that the process has chosen', () => {
    expect(resultOf('together.mjs', ['threads'])).toEqual([1, 1])
  })

  test('may still run when the process exits', () => {
    expect(resultOf('together.mjs', ['exitAround'])).toBe('left')
  })
})
