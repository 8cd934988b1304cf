import { describe, expect, test } from 'vitest'
import { parameter, setGrad } from '../../test/support/parameters.js'
import { followTrajectory, scalerTrajectories } from '../../test/support/scalerTrajectories.js'
import { values } from '../../test/support/values.js'
import { liveTensors, tidy } from '../tidy.js'
import { GradScaler } from './gradScaler.js'
import { SGD } from './sgd.js'

const setUp = (options: ConstructorParameters<typeof GradScaler>[0]) => {
  const params = [parameter([1]), parameter([1, 1])]
  return { params, optimizer: new SGD(params, { lr: 1 }), scaler: new GradScaler(options) }
}

test.each(scalerTrajectories)('GradScaler follows torch.amp.GradScaler: %s', (_name, trajectory) =>
  followTrajectory(trajectory, 'cpu'),
)

describe('GradScaler', () => {
  test('the scaled loss gives the unscaled step', () => {
    const { params, optimizer, scaler } = setUp({ initialScale: 1024 })
    const loss = params[0]!.mul(3).sum().add(params[1]!.sum())
    const scaled = scaler.scale(loss)
    expect(scaled.item()).toBe(5 * 1024)
    scaled.backward()
    expect(values(params[0]!.grad!)).toEqual([3 * 1024])
    scaler.step(optimizer)
    expect(params.map(values)).toEqual([[-2], [0, 0]])
  })

  test.each([Infinity, -Infinity, Number.NaN])(
    'a gradient of %d skips the step and halves the scale',
    (bad) => {
      const { params, optimizer, scaler } = setUp({ initialScale: 1024 })
      setGrad(params[0]!, [1])
      setGrad(params[1]!, [2, bad])
      scaler.step(optimizer)
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
    scaler.unscale(optimizer)
    expect(values(params[0]!.grad!)).toEqual([10])
    params[0]!.grad!.clamp_(-1, 1)
    expect(() => scaler.unscale(optimizer)).toThrow(/unscaled already/)
    scaler.step(optimizer)
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
      for (const optimizer of optimizers) scaler.step(optimizer)
      scaler.update()
      return [...values(good), ...values(bad), scaler.state().scale]
    }
    expect(step(8)).toEqual([0, 0, 8])
    expect(step(8)).toEqual([-1, -1, 16])
    expect(step(Infinity)).toEqual([-1.5, -1, 8])
    expect(() => scaler.update()).toThrow(/needs a step/)
  })

  test('its state goes on where it was saved, before and after the first step', () => {
    const { params, optimizer, scaler } = setUp({ growthInterval: 8 })
    expect(scaler.state()).toEqual({ scale: 65536, growthTracker: 0 })
    for (const tracker of [6, 5]) {
      scaler.loadState({ scale: 32, growthTracker: tracker })
      expect(scaler.state()).toEqual({ scale: 32, growthTracker: tracker })
      setGrad(params[0]!, [32])
      scaler.step(optimizer)
      scaler.update()
      expect(scaler.state()).toEqual({ scale: 32, growthTracker: tracker + 1 })
    }
    expect(values(params[0]!)).toEqual([-1])
  })

  test('its tensors are gone when it is disposed', () => {
    const { params, optimizer, scaler } = setUp({})
    const before = liveTensors()
    tidy(() => {
      setGrad(params[0]!, [1])
      scaler.step(optimizer)
    })
    expect(liveTensors()).toBe(before + 3) // scale, growth tracker and what was found
    scaler.dispose()
    expect(liveTensors()).toBe(before)
  })

  test('disabled, it is not there', () => {
    const { params, optimizer, scaler } = setUp({ enabled: false })
    const loss = params[0]!.sum()
    expect(scaler.scale(loss)).toBe(loss)
    setGrad(params[0]!, [0.5])
    scaler.unscale(optimizer)
    scaler.step(optimizer)
    scaler.step(optimizer)
    scaler.update()
    expect(values(params[0]!)).toEqual([0])
    scaler.step(new SGD([parameter([1])], { lr: 1 })) // nothing has a gradient
  })

  test('without any gradient a step changes nothing and counts as good', () => {
    const { params, optimizer, scaler } = setUp({ growthInterval: 1 })
    scaler.step(optimizer)
    scaler.update()
    expect(params.map(values)).toEqual([[1], [1, 1]])
    expect(scaler.state()).toEqual({ scale: 131072, growthTracker: 0 })
  })
})
