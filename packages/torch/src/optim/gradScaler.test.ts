import { describe, expect, test } from 'vitest'
import { parameter, setGrad } from '../../test/support/parameters.js'
import { values } from '../../test/support/values.js'
import { GradScaler } from './gradScaler.js'
import { SGD } from './sgd.js'

const setUp = (options: ConstructorParameters<typeof GradScaler>[0]) => {
  const params = [parameter([1]), parameter([1, 1])]
  return { params, optimizer: new SGD(params, { lr: 1 }), scaler: new GradScaler(options) }
}

describe('GradScaler', () => {
  test('the scaled loss gives the unscaled step', () => {
    const { params, optimizer, scaler } = setUp({ initialScale: 1024 })
    const loss = params[0]!.mul(3).sum().add(params[1]!.sum())
    const scaled = scaler.scale(loss)
    expect(scaled.item()).toBe(5 * 1024)
    scaled.backward()
    expect(values(params[0]!.grad!)).toEqual([3 * 1024])
    expect(scaler.step(optimizer)).toBe(true)
    expect(params.map(values)).toEqual([[-2], [0, 0]])
  })

  test.each([Infinity, -Infinity, Number.NaN])(
    'a gradient of %d skips the step and halves the scale',
    (bad) => {
      const { params, optimizer, scaler } = setUp({ initialScale: 1024 })
      setGrad(params[0]!, [1])
      setGrad(params[1]!, [2, bad])
      expect(scaler.step(optimizer)).toBe(false)
      expect(params.map(values)).toEqual([[1], [1, 1]])
      expect(scaler.state().scale).toBe(1024)
      scaler.update()
      expect(scaler.state()).toEqual({ scale: 512, growthTracker: 0 })
    },
  )

  test('grows after growthInterval good steps in a row', () => {
    const { params, optimizer, scaler } = setUp({ initialScale: 8, growthInterval: 3, growthFactor: 4 })
    const step = (gradient: number) => {
      setGrad(params[0]!, [gradient])
      scaler.step(optimizer)
      scaler.update()
      return scaler.state().scale
    }
    expect([1, 1, Infinity, 1, 1, 1, 1, 1, 1].map(step)).toEqual([8, 8, 4, 4, 4, 16, 16, 16, 64])
  })

  test('unscaled gradients may be clipped: the step takes them as they are', () => {
    const { params, optimizer, scaler } = setUp({ initialScale: 4 })
    setGrad(params[0]!, [40])
    setGrad(params[1]!, [4, 8])
    expect(scaler.unscale(optimizer)).toBe(true)
    expect(values(params[0]!.grad!)).toEqual([10])
    params[0]!.grad!.clamp_(-1, 1)
    expect(() => scaler.unscale(optimizer)).toThrow(/unscaled already/)
    expect(scaler.step(optimizer)).toBe(true)
    expect(params.map(values)).toEqual([[0], [0, -1]])
    expect(() => scaler.step(optimizer)).toThrow(/already; call update/)
  })

  test('two optimizers share one scale, which one update adapts', () => {
    const scaler = new GradScaler({ initialScale: 8, growthInterval: 2 })
    const [good, bad] = [parameter([1]), parameter([1])]
    const optimizers = [good, bad].map((p) => new SGD([p], { lr: 1 }))
    const step = (gradient: number) => {
      setGrad(good, [8])
      setGrad(bad, [gradient])
      const taken = optimizers.map((optimizer) => scaler.step(optimizer))
      scaler.update()
      return [...taken, scaler.state().scale]
    }
    expect(step(8)).toEqual([true, true, 8])
    expect(step(8)).toEqual([true, true, 16])
    expect(step(Infinity)).toEqual([true, false, 8])
    expect(values(bad)).toEqual([-1])
    expect(() => scaler.update()).toThrow(/needs a step/)
  })

  test('its state goes on where it was saved', () => {
    const { scaler } = setUp({})
    expect(scaler.state()).toEqual({ scale: 65536, growthTracker: 0 })
    scaler.loadState({ scale: 32, growthTracker: 7 })
    expect(scaler.state()).toEqual({ scale: 32, growthTracker: 7 })
  })

  test('disabled, it is not there', () => {
    const { params, optimizer, scaler } = setUp({ enabled: false })
    const loss = params[0]!.sum()
    expect(scaler.scale(loss)).toBe(loss)
    setGrad(params[0]!, [0.5])
    expect(scaler.step(optimizer)).toBe(true)
    expect(scaler.step(optimizer)).toBe(true)
    scaler.update()
    expect(values(params[0]!)).toEqual([0])
    expect(scaler.step(new SGD([parameter([1])], { lr: 1 }))).toBe(true) // nothing has a gradient
  })
})
