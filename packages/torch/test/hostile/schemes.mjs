/** Misuse that takes more than one wrong value: sequences, resources, handles. */
import { addon, leaf, op, read, sum, tensor, x } from './addon.mjs'
import { codeCases } from './codes.mjs'
import { reentranceCases } from './reentrance.mjs'

const mul = (a, b) => op('aten::mul.Tensor')(a, b)

function* autograd() {
  const twice = () => {
    const y = sum(mul(leaf(), x()))
    addon.backward([y], null, false)
    addon.backward([y], null, false)
  }
  yield { name: 'backward twice', run: twice }
  yield { name: 'backward of a matrix', run: () => addon.backward([mul(leaf(), x())], null, false) }
  yield { name: 'backward without grad', run: () => addon.backward([sum(x())], null, false) }
  yield { name: 'backward of nothing', run: () => addon.backward([], [], false) }
  yield { name: 'gradients of nothing', run: () => addon.gradients([], [], null, false, false, false) }
  yield {
    name: 'gradients for no input',
    run: () => addon.gradients([sum(leaf())], [], null, false, false, false),
  }
  yield { name: 'too many gradients', run: () => addon.backward([sum(leaf())], [x(), x()], false) }
  yield {
    name: 'a gradient of another shape',
    run: () => addon.backward([mul(leaf(), x())], [tensor([1])], false),
  }
  yield {
    name: 'a gradient of another dtype',
    run: () => addon.backward([mul(leaf(), x())], [addon.fromBytes(new BigInt64Array(4), 4, [2, 2])], false),
  }
  yield {
    name: 'an input outside the graph',
    run: () => addon.gradients([sum(leaf())], [leaf()], null, false, false, false),
  }
  yield { name: 'an input that is the output', run: () => { const y = sum(leaf()); return addon.gradients([y], [y], null, false, false, false) } } // biome-ignore format: one case a line
  yield { name: 'in place on a leaf', run: () => op('aten::add_.Scalar')(leaf(), 1, 1) }
  yield {
    name: 'in place on a view of a leaf',
    run: () => op('aten::add_.Scalar')(op('aten::select.int')(leaf(), 0, 0), 1, 1),
  }
  yield { name: 'resize a leaf', run: () => op('aten::resize_')(leaf(), [100]) }
  yield { name: 'out= with a gradient', run: () => op('aten::add.out')(leaf(), x(), 1, x()) }
  yield {
    name: 'requiresGrad of a computed tensor',
    run: () => addon.setRequiresGrad(mul(leaf(), x()), false),
  }
  yield {
    name: 'requiresGrad of integers',
    run: () => addon.setRequiresGrad(addon.fromBytes(new Int32Array(1), 3, [1]), true),
  }
  yield { name: 'a gradient of itself', run: () => { const t = leaf(); addon.setGrad(t, t) } } // biome-ignore format: one case a line
  yield { name: 'gradients of each other', run: () => { const [a, b] = [x(), x()]; addon.setGrad(a, b); addon.setGrad(b, a) } } // biome-ignore format: one case a line
  yield {
    name: 'backward through a tensor whose memory was replaced',
    run: () => {
      const [a, b] = [leaf(), x()]
      const y = sum(mul(a, b))
      op('aten::set_.source_Tensor')(b, tensor([1]))
      addon.backward([y], null, false)
    },
  }
  yield {
    name: 'a graph of 100,000 nodes, disposed',
    run: () => {
      let y = leaf()
      for (let i = 0; i < 100_000; i++) {
        const next = op('aten::add.Scalar')(y, 1, 1)
        addon.dispose(y)
        y = next
      }
      addon.dispose(y)
    },
  }
}

function* memory() {
  const shared = () => addon.fromBytes(new Float32Array(new SharedArrayBuffer(16)), 6, [4], true)
  const failing = {
    'lent memory': [shared, [1000]],
    'memory there is not': [() => tensor([1, 2, 3, 4]), [1e15]],
    'sizes that overflow': [() => tensor([1, 2, 3, 4]), [2n ** 62n, 2n ** 62n]],
  }
  for (const [what, [make, sizes]] of Object.entries(failing))
    yield {
      name: `a failed resize (${what}) leaves the tensor as it was`,
      run: () => {
        const t = make()
        let refused = false
        try {
          op('aten::resize_')(t, sizes)
        } catch {
          refused = true
        }
        if (!refused || `${addon.shape(t)}` !== '4' || read(t).length !== 4) throw 'the tensor is broken'
      },
    }
  yield {
    name: 'a result that does not fit into lent memory',
    run: () => {
      const t = shared()
      try {
        op('aten::add.out')(tensor(Array(100).fill(1)), tensor([1]), 1, t)
      } catch {
        /* expected */
      }
      if (`${addon.shape(t)}` !== '4') throw 'the tensor is broken'
      read(t)
    },
  }
  for (const sizes of [[1e15], [2 ** 40, 2 ** 40], [2n ** 63n - 1n], [2 ** 31, 2 ** 31, 4], [1e15, 0]])
    yield { name: `zeros of [${sizes}]`, run: () => op('aten::zeros')(sizes, 6) }
  yield {
    name: 'an expanded tensor of 2^50 elements, made real',
    run: () => op('aten::clone')(op('aten::expand')(tensor([1]), [2 ** 50])),
  }
  yield {
    name: 'an expanded tensor, read into too little',
    run: () => addon.copyOut(op('aten::expand')(tensor([1]), [2 ** 50]), new Float32Array(4)),
  }
  yield { name: 'strides past the memory', run: () => op('aten::as_strided')(x(), [2, 2], [1000, 1], 0) }
  yield { name: 'an offset past the memory', run: () => op('aten::as_strided')(x(), [2], [1], 2 ** 40) }
  yield { name: 'negative strides', run: () => op('aten::as_strided')(x(), [2], [-1], 3) }
  yield {
    name: 'an index out of range',
    run: () => op('aten::index.Tensor')(x(), [addon.fromBytes(BigInt64Array.of(2n ** 40n), 4, [1])]),
  }
  yield {
    name: 'a negative index out of range',
    run: () => op('aten::index_select')(x(), 0, addon.fromBytes(BigInt64Array.of(-9n), 4, [1])),
  }
  yield {
    name: 'overlapping memory written',
    run: () => op('aten::add_.Tensor')(op('aten::expand')(tensor([1]), [4]), tensor([1, 2, 3, 4]), 1),
  }
  yield {
    name: 'a tensor without memory',
    run: () => read(op('aten::empty.memory_format')([4], 6, null, 'meta')),
  }
  yield {
    name: 'the value of a tensor without memory',
    run: () => addon.item(op('aten::empty.memory_format')([], 6, null, 'meta')),
  }
  yield {
    name: 'moving out a tensor without memory',
    run: () => addon.moveOut(op('aten::empty.memory_format')([2], 6, null, 'meta')),
  }
  yield {
    name: 'a sparse tensor, read',
    run: () => addon.copyOut(op('aten::to_sparse')(x()), new Float32Array(4)),
  }
  yield {
    name: 'a sparse tensor, written',
    run: () => addon.copyIn(op('aten::to_sparse')(x()), new Float32Array(4)),
  }
  yield { name: 'strides of a sparse tensor', run: () => addon.strides(op('aten::to_sparse')(x())) }
  yield { name: 'bytes of a sparse tensor', run: () => addon.account(op('aten::to_sparse')(x())) }
  yield { name: 'moving out a sparse tensor', run: () => addon.moveOut(op('aten::to_sparse')(x())) }
  yield { name: 'a complex value', run: () => addon.item(op('aten::full')([], 1, 9)) }
  yield {
    name: 'a complex tensor, read',
    run: () => addon.copyOut(op('aten::full')([2], 1, 9), new Float32Array(4)),
  }
  yield {
    name: 'a quantized tensor, read',
    run: () => addon.copyOut(op('aten::quantize_per_tensor')(x(), 0.1, 0, 12), new Uint8Array(4)),
  }
}

function* handles() {
  const disposed = () => { const t = x(); addon.dispose(t); return t } // biome-ignore format: short
  for (const name of [
    'shape',
    'strides',
    'dtype',
    'device',
    'item',
    'grad',
    'moveOut',
    'account',
    'isPinned',
    'isLeaf',
  ])
    yield { name: `${name} of a disposed tensor`, run: () => addon[name](disposed()) }
  yield { name: 'disposed twice', run: () => addon.dispose(disposed()) }
  yield { name: 'disposed twice in one list', run: () => { const t = x(); addon.disposeAll([t, t, t]) } } // biome-ignore format: short
  for (const generation of [0, 1, 2, 2 ** 27, 2 ** 28 - 1, 2 ** 28])
    for (const slot of [0, 1, 2 ** 23, 2 ** 24 - 1])
      yield {
        name: `forged handle: generation ${generation}, slot ${slot}`,
        run: () => addon.shape(slot + generation * 2 ** 24 + 0.5),
      }
  yield { name: 'a generator as a tensor', run: () => addon.shape(addon.newGenerator(1)) }
  yield { name: 'a tensor as a generator', run: () => addon.generatorState(x()) }
  yield { name: 'a freed generator', run: () => { const g = addon.newGenerator(1); addon.freeGenerator(g); addon.generatorState(g) } } // biome-ignore format: short
  yield { name: 'a generator freed twice', run: () => { const g = addon.newGenerator(1); addon.freeGenerator(g); return addon.freeGenerator(g) } } // biome-ignore format: short
  yield { name: 'an operator that is not there', run: () => addon.resolve('aten::nothing', '') }
  yield { name: 'an overload that is not there', run: () => addon.resolve('aten::add', 'Nothing') }
  yield { name: 'a name without a namespace', run: () => addon.resolve('add', 'Tensor') }
  yield { name: 'a schema in place of a name', run: () => addon.schema('aten::add(Tensor x)', '') }
  yield {
    name: 'an operator as a constructor',
    run: () => new (addon.resolve('aten::add', 'Tensor'))(x(), x()),
  }
  yield { name: 'an operator with another this', run: () => op('aten::sum').call(addon, x()) }
  yield { name: 'an export with another this', run: () => addon.shape.call(new Proxy({}, {}), x()) }
  yield {
    name: 'an operator that wants a Storage',
    run: () => addon.resolve('aten::set_', 'source_Storage')(x(), x()),
  }
  yield {
    name: 'an operator of names',
    run: () => addon.resolve('aten::sum', 'dim_DimnameList')(x(), ['N'], false),
  }
}

export function* schemeCases() {
  yield* reentranceCases()
  yield* autograd()
  yield* memory()
  yield* handles()
  yield* codeCases()
}
