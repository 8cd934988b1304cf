import { describe, expect, test } from 'vitest'
import { autocast } from './autograd.js'
import { fromTypedArray, randn, tensor } from './create.js'
import * as F from './functional.js'
import { Linear } from './layers.js'
import { SGD } from './optim/sgd.js'
import { isCudaAvailable, synchronize } from './runtime.js'
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
})
