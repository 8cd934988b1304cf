import { describe, expect, test } from 'vitest'
import { parameter, setGrad, slope } from '../../test/support/parameters.js'
import { expectClose, values } from '../../test/support/values.js'
import { full, ones } from '../create.js'
import { Parameter } from '../tensor/tensor.js'
import { liveTensors, tidy } from '../tidy.js'
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

  test('that does not fit changes nothing, and every misfit is named', () => {
    const params = [parameter([1, 2]), parameter([3])]
    const optimizer = make(params)
    train(params, optimizer, 1)
    const saved = [...optimizer.stateDict()]
    const before = saved.map(([, tensor]) => values(tensor))
    const name = saved.at(-1)![0].slice(2)
    const given = new Map(saved)
    given.set(`0.${name}`, parameter([1]))
    given.set('0.toString', parameter([1]))
    given.set('1e0.x', parameter([1]))
    given.set('7.x', parameter([1]))
    given.delete(`1.${name}`)
    given.set('1.other', parameter([1]))
    const load = () => optimizer.loadStateDict(given)
    for (const problem of [
      /no parameter for the state 1e0\.x/,
      /no parameter for the state 7\.x/,
      /unexpected 0\.toString/,
      /unexpected 1\.other/,
    ])
      expect(load).toThrow(problem)
    expect(load).toThrow(`0.${name} has shape [1], the optimizer needs [2]`)
    expect(load).toThrow(`missing 1.${name}`)
    expect([...optimizer.stateDict().values()].map((tensor) => values(tensor))).toEqual(before)
    optimizer.loadStateDict(optimizer.stateDict()) // its own
    expect([...optimizer.stateDict().values()].map((tensor) => values(tensor))).toEqual(before)
  })

  test('lies in memory as the parameter does', () => {
    const weight = new Parameter(ones([2, 3, 2, 2]).contiguous('channelsLast'))
    const optimizer = make([weight])
    weight.grad = weight.detach().clone()
    optimizer.step()
    const formats = () =>
      [...optimizer.stateDict().values()].filter((x) => x.dim === 4).map((x) => x.strides.join())
    expect(new Set(formats())).toEqual(new Set(['12,1,6,3']))
    optimizer.loadStateDict(
      new Map([...optimizer.stateDict()].map(([key, x]) => [key, x.contiguous('contiguous')])),
    )
    expect(new Set(formats())).toEqual(new Set(['12,1,6,3']))
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

describe.each(kinds)('%s with foundInf', (_name, make) => {
  const setUp = () => {
    const params = [parameter([1, 2]), parameter([3])]
    const optimizer = make(params)
    const state = () => new Map([...optimizer.stateDict()].map(([key, tensor]) => [key, values(tensor)]))
    const step = (foundInf?: number, grads = params.map((p) => slope(values(p)))) =>
      tidy(() => {
        for (const [i, gradient] of grads.entries()) setGrad(params[i]!, gradient)
        optimizer.step(foundInf === undefined ? {} : { foundInf: full([], foundInf) })
      })
    return { params, optimizer, state, step }
  }

  test('0 is a step as without it', () => {
    const [plain, guarded] = [setUp(), setUp()]
    for (let i = 0; i < 5; i++) {
      plain.step()
      guarded.step(0)
      for (const [j, p] of plain.params.entries()) expectClose(guarded.params[j]!, values(p), 1e-14)
      const expected = plain.state()
      expect([...guarded.state().keys()]).toEqual([...expected.keys()])
      for (const [key, found] of guarded.state()) expectClose(found, expected.get(key)!, 1e-14)
    }
  })

  test('1 changes no bit of parameters and state, whatever the gradients', () => {
    const { params, state, step } = setUp()
    step()
    step(0)
    const before = [params.map(values), state()]
    for (const bad of [Number.NaN, Infinity, 7]) {
      step(1, [[bad, 1], [bad]])
      expect([params.map(values), state()]).toEqual(before)
    }
  })

  test('steps that are undone, the first among them, do not matter to those that follow', () => {
    const [plain, guarded] = [setUp(), setUp()]
    guarded.step(1, [[Number.NaN, 1], [1]])
    expect(guarded.params.map(values)).toEqual([[1, 2], [3]])
    for (const foundInf of [0, 1, undefined, 0, undefined, 1]) {
      guarded.step(foundInf)
      if (foundInf !== 1) plain.step()
    }
    for (const [j, p] of plain.params.entries()) expectClose(guarded.params[j]!, values(p), 1e-14)
  })

  test('its state, restored, goes on', () => {
    const { params, optimizer, step } = setUp()
    for (const foundInf of [0, 1, 0]) step(foundInf)
    const copies = params.map((p) => parameter(values(p)))
    const restored = make(copies)
    restored.loadStateDict(optimizer.stateDict())
    step(0)
    for (const p of copies) setGrad(p, slope(values(p)))
    restored.step()
    for (const [i, p] of params.entries()) expectClose(copies[i]!, values(p), 1e-14)
    setGrad(copies[0]!, slope(values(copies[0]!)))
    restored.step({ foundInf: full([], 0) })
    step(0, [slope(values(params[0]!))])
    expectClose(copies[0]!, values(params[0]!), 1e-14)
  })

  test('leaves no tensor behind', () => {
    const { step } = setUp()
    step(0)
    const before = liveTensors()
    for (const foundInf of [0, 1, undefined]) step(foundInf)
    expect(liveTensors()).toBe(before)
  })

  test('of another shape is refused before anything changes', () => {
    const { params, optimizer } = setUp()
    setGrad(params[0]!, [1, 1])
    expect(() => optimizer.step({ foundInf: ones([2]) })).toThrow(/foundInf must be a scalar, got \[2\]/)
    expect(params.map(values)).toEqual([[1, 2], [3]])
  })
})

describe('settings', () => {
  const p = () => [parameter([1])]

  test('the learning rate can be read and scaled', () => {
    const optimizer = new SGD([{ params: p(), lr: 0.5 }, { params: p() }], { lr: 0.25 })
    expect(optimizer.lr).toBe(0.5)
    optimizer.lr *= 0.5
    expect(optimizer.groups.map((group) => group.lr)).toEqual([0.25, 0.25])
  })

  test('undefined in a group is the default', () => {
    const group = { params: p(), lr: undefined, weightDecay: undefined } as never
    expect(new SGD([group], { lr: 0.1, weightDecay: 0.2 }).groups[0]).toMatchObject({
      lr: 0.1,
      weightDecay: 0.2,
    })
  })

  test.each<[string, () => unknown, ErrorConstructor, RegExp]>([
    ['no lr', () => new SGD(p(), {} as never), TypeError, /lr must be a number, got undefined/],
    ['a negative lr', () => new SGD(p(), { lr: -1 }), RangeError, /lr .*, got -1/],
    ['an lr of NaN', () => new AdamW(p(), { lr: Number.NaN }), RangeError, /lr .*, got NaN/],
    ["a group's lr", () => new SGD([{ params: p(), lr: Infinity }], { lr: 1 }), RangeError, /lr .* Infinity/],
    ['lr as text', () => (new SGD(p(), { lr: 1 }).lr = '1' as never), TypeError, /lr must be a number/],
    ['momentum', () => new SGD(p(), { lr: 1, momentum: -0.1 }), RangeError, /momentum .*-0\.1/],
    ['weightDecay', () => new SGD(p(), { lr: 1, weightDecay: -1 }), RangeError, /weightDecay .*-1/],
    ['betas', () => new AdamW(p(), { betas: [1, 1] }), RangeError, /betas\[0\] must be .* below 1, got 1/],
    ['eps', () => new AdamW(p(), { eps: -1e-8 }), RangeError, /eps .*-1e-8/],
  ])('%s is refused', (_what, make, kind, message) => {
    expect(make).toThrow(message)
    expect(make).toThrow(kind)
  })

  test('a bad setting between steps stops the step before it spoils weights', () => {
    const [parameter] = p()
    const optimizer = new SGD([parameter!], { lr: 1 })
    setGrad(parameter!, [1])
    optimizer.groups[0]!.lr = Number.NaN
    expect(() => optimizer.step()).toThrow(RangeError)
    expect(values(parameter!)).toEqual([1])
  })
})
