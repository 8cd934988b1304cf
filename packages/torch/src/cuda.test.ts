import { describe, expect, test } from 'vitest'
import { followTrajectory, scalerTrajectories } from '../test/support/scalerTrajectories.js'
import { autocast } from './autograd.js'
import { fromTypedArray, ones, randn, tensor } from './create.js'
import * as F from './functional.js'
import { Linear } from './layers.js'
import { AdamW } from './optim/adamw.js'
import { clipGradNorm_ } from './optim/clipGradNorm.js'
import { allFinite } from './optim/finite.js'
import { SGD } from './optim/sgd.js'
import { isCudaAvailable, setTf32, synchronize } from './runtime.js'
import { liveTensors, tidy } from './tidy.js'

const cuda = isCudaAvailable()
const why = cuda ? '' : ' (skipped: libtorch sees no CUDA device)'

describe.skipIf(!cuda)(`CUDA${why}`, () => {
  test(`values survive the way there and back${why}`, () => {
    const there = tensor([
      [1, 2],
      [3, 4],
    ]).to('cuda')
    expect(there.device).toBe('cuda:0')
    expect([...there.matmul(there).toTypedArray()]).toEqual([7, 10, 15, 22])
  })

  test(`pinned memory is copied without waiting${why}`, () => {
    const pinned = fromTypedArray(Float32Array.of(1, 2, 3), [3]).pinMemory()
    expect(pinned.isPinned).toBe(true)
    const there = pinned.to({ device: 'cuda', nonBlocking: true })
    synchronize()
    expect([...there.add(1).toTypedArray()]).toEqual([2, 3, 4])
  })

  test(`a training step equals the one on the CPU${why}`, () => {
    const x = randn([8, 5])
    const y = tensor([0, 1, 2, 0, 1, 2, 0, 1], { dtype: 'int64' })
    const onCpu = new Linear(5, 3)
    const onGpu = new Linear(5, 3).to({ device: 'cuda' })
    onGpu.loadStateDict(onCpu.stateDict())
    for (const [model, device] of [
      [onCpu, 'cpu'],
      [onGpu, 'cuda'],
    ] as const) {
      const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
      tidy(() => F.crossEntropy(model.forward(x.to(device)), y.to(device)).backward())
      optimizer.step()
    }
    const difference = onCpu.weight.sub(onGpu.weight.to('cpu')).abs().max().item()
    expect(difference).toBeLessThan(1e-6)
  })

  test(`autocast computes in bfloat16 and leaves nothing behind${why}`, () => {
    const model = new Linear(16, 16).to({ device: 'cuda' })
    const before = liveTensors()
    const dtype = tidy(() =>
      autocast({ device: 'cuda' }, () => model.forward(randn([2, 16], { device: 'cuda' })).dtype),
    )
    expect(dtype).toBe('bfloat16')
    expect(liveTensors()).toBe(before)
  })

  test.each(scalerTrajectories)(`GradScaler follows torch.amp.GradScaler: %s${why}`, (_name, trajectory) =>
    followTrajectory(trajectory, 'cuda'),
  )

  test(`AdamW, clipped, equals the one on the CPU${why}`, () => {
    const models = (['cpu', 'cuda'] as const).map((device) => new Linear(5, 3).to({ device }))
    models[1]!.loadStateDict(models[0]!.stateDict())
    const optimizers = models.map((model) => new AdamW(model.parameters(), { lr: 0.1, weightDecay: 0.1 }))
    const x = randn([8, 5])
    for (let step = 0; step < 3; step++)
      for (const [i, model] of models.entries())
        tidy(() => {
          optimizers[i]!.zeroGrad()
          model.forward(x.to(model.weight.device)).pow(2).sum().backward()
          const norm = clipGradNorm_(model.parameters(), 1)
          expect(norm.device).toBe(model.weight.device)
          optimizers[i]!.step()
        })
    const difference = models[0]!.weight.sub(models[1]!.weight.to('cpu')).abs().max().item()
    expect(difference).toBeLessThan(1e-5)
    const states = optimizers.map((optimizer) => [...optimizer.stateDict().keys()])
    expect(states[1]).toEqual(states[0])
  })

  test(`allFinite answers on the device${why}`, () => {
    const list = [ones([1000], { device: 'cuda' }), tensor([1, 2], { device: 'cuda' })]
    expect(allFinite(list).device).toBe('cuda:0')
    expect(allFinite(list).item()).toBe(1)
    list[0]!.select(0, 999).fill_(Number.NaN)
    expect(allFinite(list).item()).toBe(0)
  })

  test(`without TF32 a product has float32's precision${why}`, () => {
    setTf32(false)
    const [a, b] = [randn([256, 256], { device: 'cuda' }), randn([256, 256], { device: 'cuda' })]
    const exact = a.to('float64').matmul(b.to('float64'))
    const error = a.matmul(b).to('float64').sub(exact).norm().div(exact.norm()).item()
    expect(error).toBeLessThan(2e-6) // with TF32 about 3e-4
  })

  test(`without TF32 a convolution has float32's precision${why}`, () => {
    setTf32(false)
    const x = randn([4, 64, 16, 16], { device: 'cuda' })
    const weight = randn([64, 64, 3, 3], { device: 'cuda' })
    const exact = F.conv2d(x.to('float64'), weight.to('float64'), null, { padding: 1 })
    const error = F.conv2d(x, weight, null, { padding: 1 })
      .to('float64')
      .sub(exact)
      .norm()
      .div(exact.norm())
      .item()
    expect(error).toBeLessThan(2e-5) // Winograd's algorithm rounds more than a product; TF32 about 3e-4
  })
})
