import { afterAll, describe, expect, test } from 'vitest'
import { values } from '../test/support/values.js'
import { arange, ones, tensor, zeros } from './create.js'
import { BatchNorm1d, BatchNorm2d, Conv2d, Dropout, Linear, ReLU } from './layers.js'
import { Module, Sequential } from './module.js'
import { SGD } from './optim/sgd.js'
import { Parameter, type Tensor } from './tensor/tensor.js'
import { keep, liveTensors, tidy } from './tidy.js'

class Block extends Module {
  readonly conv1 = new Conv2d(2, 3, 3, { bias: false, padding: 1 })
  readonly bn1 = new BatchNorm2d(3)
  readonly downsample = new Sequential(new Conv2d(2, 3, 1, { bias: false }), new BatchNorm2d(3))
  override forward(x: Tensor): Tensor {
    return this.bn1.forward(this.conv1.forward(x)).add(this.downsample.forward(x)).relu_()
  }
}

class Net extends Module {
  readonly layers = [new Block(), new Dropout(0.5)]
  readonly queryToken = new Parameter(zeros([1, 3]))
  readonly notATensor = 'text'
  readonly missing: Parameter | null = null
  readonly fc = new Linear(3, 2)
  override forward(x: Tensor): Tensor {
    const features = this.layers.reduce((value, layer) => layer.forward(value), x).mean([2, 3])
    return this.fc.forward(features.add(this.queryToken))
  }
}

const before = liveTensors()
const net = new Net()
afterAll(() => net.dispose())

const bnNames = (prefix: string) =>
  ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'].map((name) => `${prefix}.${name}`)

describe('names', () => {
  test('are those torchvision would give', () => {
    expect([...net.stateDict().keys()]).toEqual([
      'query_token',
      'layers.0.conv1.weight',
      ...bnNames('layers.0.bn1'),
      'layers.0.downsample.0.weight',
      ...bnNames('layers.0.downsample.1'),
      'fc.weight',
      'fc.bias',
    ])
  })

  test('parameters are trained, buffers are not', () => {
    const parameters = [...net.namedParameters()]
    expect(parameters.map(([name]) => name)).toContain('layers.0.bn1.weight')
    expect(parameters.every(([, p]) => p.requiresGrad && p.isLeaf)).toBe(true)
    const buffers = [...net.namedBuffers()]
    expect(buffers).toHaveLength(6)
    expect(buffers.some(([, b]) => b.requiresGrad)).toBe(false)
    expect(net.parameters()).toHaveLength(9)
    expect([...net.namedModules()].map(([name]) => name).slice(0, 4)).toEqual([
      '',
      'layers.0',
      'layers.0.conv1',
      'layers.0.bn1',
    ])
    expect([...net.stateDict('encoder').keys()][0]).toBe('encoder.query_token')
  })
})

describe('tied and extended modules', () => {
  test('a shared tensor is one parameter with two names', () => {
    class Tied extends Module {
      readonly encoder = new Linear(2, 2, { bias: false })
      readonly decoder = this.encoder
      readonly norm = [new BatchNorm1d(2)]
      readonly again = this.norm[0]!
      override forward(x: Tensor): Tensor {
        return this.decoder.forward(this.encoder.forward(x))
      }
    }
    const tied = new Tied()
    expect([...tied.namedParameters('m')].map(([name]) => name)).toEqual([
      'm.encoder.weight',
      'm.norm.0.weight',
      'm.norm.0.bias',
    ])
    expect([...tied.namedBuffers()].map(([name]) => name)).toEqual(bnNames('norm.0').slice(2))
    expect([...tied.stateDict().keys()].filter((name) => /coder/.test(name))).toEqual([
      'encoder.weight',
      'decoder.weight',
    ])
    expect(() => new SGD(tied.parameters(), { lr: 1 })).not.toThrow()
    tied.to({ dtype: 'float64' })
    expect(tied.decoder.weight.dtype).toBe('float64')
    tied.dispose()
  })

  test('fields of a class that extends Sequential are children', () => {
    class WithHead extends Sequential {
      readonly head = new Linear(2, 3)
      readonly extra = [new Linear(1, 1, { bias: false })]
      override forward(x: Tensor): Tensor {
        return this.head.forward(super.forward(x))
      }
    }
    const model = new WithHead(new Linear(4, 2), new ReLU())
    expect([...model.stateDict().keys()]).toEqual([
      '0.weight',
      '0.bias',
      'head.weight',
      'head.bias',
      'extra.0.weight',
    ])
    expect(model.eval().head.training).toBe(false)
    expect(model.forward(ones([1, 4])).shape).toEqual([1, 3])
    model.dispose()
  })
})

describe('train and eval', () => {
  test('reach every module', () => {
    expect(net.eval()).toBe(net)
    expect([...net.namedModules()].some(([, module]) => module.training)).toBe(false)
    net.train()
    expect([...net.namedModules()].every(([, module]) => module.training)).toBe(true)
  })

  test('dropout scales what it keeps, and only while training', () => {
    const dropout = new Dropout(0.75)
    const x = ones([4000])
    const kept = values(dropout.forward(x))
    expect([...new Set(kept)].sort()).toEqual([0, 4])
    expect(Math.abs(kept.filter(Boolean).length / 4000 - 0.25)).toBeLessThan(0.03)
    expect(values(dropout.eval().forward(x))).toEqual(values(x))
  })
})

describe('loadStateDict', () => {
  test('copies values, converting dtypes, and leaves the source alone', () => {
    const [from, into] = [new Net(), new Net()]
    from.to({ dtype: 'float64' })
    into.loadStateDict(from.stateDict())
    for (const [name, value] of into.stateDict())
      expect(values(value), name).toEqual(Array.from(from.stateDict().get(name)!.toFloat32Array()))
    expect(into.fc.weight.dtype).toBe('float32')
    expect(into.fc.weight.requiresGrad).toBe(true)
    expect(into.fc.weight.isLeaf).toBe(true)
  })

  test('lists every problem and then copies nothing', () => {
    const into = new Sequential(new Linear(2, 2), new BatchNorm1d(2))
    const state = new Map(into.stateDict())
    const old = values(into.stateDict().get('0.bias')!)
    state.set('0.bias', ones([2]))
    state.set('0.weight', ones([3, 2]))
    state.delete('1.running_mean')
    state.set('extra.weight', ones([1]))
    const load = () => into.loadStateDict(state)
    expect(load).toThrow(/does not fit Sequential/)
    expect(load).toThrow(/0\.weight has shape \[3,2\], the module needs \[2,2\]/)
    expect(load).toThrow(/missing 1\.running_mean \[2\]/)
    expect(load).toThrow(/unexpected extra\.weight/)
    expect(values(into.stateDict().get('0.bias')!)).toEqual(old)
    expect(() => into.loadStateDict(state, { strict: false })).toThrow(/0\.weight/)
    state.delete('0.weight')
    into.loadStateDict(state, { strict: false })
    expect(values(into.stateDict().get('0.bias')!)).toEqual([1, 1])
  })
})

describe('to', () => {
  test('changes dtype and layout in place, keeping objects, values and requiresGrad', () => {
    const block = new Block()
    const { weight } = block.conv1
    const elements = values(weight)
    weight.requiresGrad = false
    block.to({ memoryFormat: 'channelsLast' })
    expect(block.conv1.weight).toBe(weight)
    expect(weight.isContiguous('channelsLast')).toBe(true)
    expect(weight.strides).toEqual([18, 1, 6, 2])
    expect(values(weight)).toEqual(elements)
    block.to({ dtype: 'float64' })
    expect(weight.dtype).toBe('float64')
    expect(weight.isContiguous('channelsLast')).toBe(true)
    expect(values(weight)).toEqual(elements)
    expect(weight.requiresGrad).toBe(false)
    expect(block.bn1.weight.requiresGrad).toBe(true)
    expect(block.bn1.weight.isLeaf).toBe(true)
    expect(block.bn1.numBatchesTracked.dtype).toBe('int64')
    expect(block.bn1.runningVar.requiresGrad).toBe(false)
    const out = tidy(() => block.forward(arange(0, 32, 1, { dtype: 'float64' }).reshape(1, 2, 4, 4)).sum())
    out.backward()
    expect(block.bn1.weight.grad!.dtype).toBe('float64')
  })

  test('moves gradients along', () => {
    const conv = new Conv2d(2, 1, 2, { bias: false })
    const gradient = arange(0, 8).reshape(1, 2, 2, 2)
    conv.weight.grad = gradient
    conv.to({ dtype: 'float64', memoryFormat: 'channelsLast' })
    expect(conv.weight.grad!.dtype).toBe('float64')
    expect(conv.weight.grad!.isContiguous('channelsLast')).toBe(true)
    expect(values(conv.weight.grad!)).toEqual(values(gradient))
  })

  test('inside tidy: the moved parameters outlive the scope', () => {
    const layer = tidy(() => {
      const made = new Linear(2, 2)
      made.to({ dtype: 'float64' })
      return made
    })
    expect(layer.weight.isDisposed).toBe(false)
    expect(layer.forward(ones([1, 2], { dtype: 'float64' })).dtype).toBe('float64')
  })
})

describe('gradients and memory', () => {
  test('requiresGrad_ freezes, zeroGrad forgets', () => {
    const layer = new Linear(2, 1)
    layer
      .forward(tensor([[1, 2]]))
      .sum()
      .backward()
    expect(values(layer.weight.grad!)).toEqual([1, 2])
    layer.zeroGrad()
    expect(layer.weight.grad).toBeNull()
    layer.requiresGrad_(false)
    expect(layer.forward(tensor([[1, 2]])).requiresGrad).toBe(false)
  })

  test('dispose releases everything a module holds', () => {
    const start = liveTensors()
    const made = tidy(() => new Sequential(new Block(), new ReLU(true), new Linear(3, 3)))
    expect(liveTensors() - start).toBe(12 + 2)
    made.dispose()
    made.dispose()
    expect(liveTensors()).toBe(start)
    expect(start).toBeGreaterThan(before)
  })

  test('a parameter of a computed tensor is a leaf of its value', () => {
    const start = liveTensors()
    tidy(() => {
      const source = tensor([1, 2], { requiresGrad: true })
      const parameter = new Parameter(source.mul(3))
      expect(parameter.isLeaf && parameter.requiresGrad).toBe(true)
      parameter.mul(parameter).sum().backward()
      expect(values(parameter.grad!)).toEqual([6, 12])
      expect(source.grad).toBeNull()
      parameter.dispose()
    })
    expect(liveTensors()).toBe(start)
  })

  test('a buffer and a parameter made in tidy must be kept, as layers do', () => {
    const buffer = tidy(() => keep(zeros([1])))
    const parameter = tidy(() => ({ p: new Parameter(zeros([1])) })).p
    expect(buffer.isDisposed || parameter.isDisposed).toBe(false)
    expect(parameter.requiresGrad).toBe(true)
  })
})
