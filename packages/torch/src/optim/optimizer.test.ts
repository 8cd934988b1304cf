import { describe, expect, test } from 'vitest'
import { parameter, setGrad, slope } from '../../test/support/parameters.js'
import { values } from '../../test/support/values.js'
import { liveTensors } from '../tidy.js'
import { AdamW } from './adamw.js'
import type { Optimizer } from './optimizer.js'
import { SGD } from './sgd.js'

type Params = ReturnType<typeof parameter>[]
const kinds: [string, (params: Params) => Optimizer][] = [
  ['SGD', (params) => new SGD(params, { lr: 0.1, momentum: 0.9 })],
  ['AdamW', (params) => new AdamW(params, { lr: 0.1 })],
]

function train(params: Params, optimizer: Optimizer, steps: number): void {
  for (let step = 0; step < steps; step++) {
    for (const p of params) setGrad(p, slope(values(p)))
    optimizer.step()
  }
}

describe.each(kinds)('the state of %s', (_name, make) => {
  test('restored, goes on bit for bit', () => {
    const params = [parameter([1, 2]), parameter([3])]
    const optimizer = make(params)
    train(params, optimizer, 3)
    const copies = params.map((p) => parameter(values(p)))
    const restored = make(copies)
    restored.loadStateDict(optimizer.stateDict())
    train(params, optimizer, 3)
    train(copies, restored, 3)
    expect(copies.map(values)).toEqual(params.map(values))
    const [a, b] = [optimizer.stateDict(), restored.stateDict()]
    expect([...a].map(([key, value]) => [key, values(value)])).toEqual(
      [...b].map(([key, value]) => [key, values(value)]),
    )
  })

  test('is copied, keyed by the number of the parameter', () => {
    const params = [parameter([1]), parameter([2])]
    const optimizer = make(params)
    expect(optimizer.stateDict().size).toBe(0)
    setGrad(params[1]!, [1])
    optimizer.step()
    const state = optimizer.stateDict()
    expect([...state.keys()].every((key) => key.startsWith('1.'))).toBe(true)
    const other = make([parameter([1]), parameter([2])])
    other.loadStateDict(state)
    for (const [key, tensor] of other.stateDict()) expect(tensor).not.toBe(state.get(key))
    expect(() => make([parameter([1])]).loadStateDict(state)).toThrow(/no parameter for the state 1\./)
  })

  test('loading again releases what was there', () => {
    const params = [parameter([1]), parameter([2])]
    const optimizer = make(params)
    train(params, optimizer, 1)
    const saved = new Map([...optimizer.stateDict()].map(([key, tensor]) => [key, tensor.clone()]))
    const before = liveTensors()
    for (let i = 0; i < 3; i++) optimizer.loadStateDict(saved)
    expect(liveTensors()).toBe(before)
  })
})
