/** JS that runs while the addon reads its arguments: getters that take them away, and recursion without end. */
import { addon, leaf, op, sum, tensor, x } from './addon.mjs'
import { trapped } from './values.mjs'

/** What happens while the addon converts an array: `action` runs when its second element is read. */
const reentrant = {
  'disposes the tensor': (t) => () => addon.dispose(t),
  'moves the tensor out': (t) => () => addon.moveOut(t),
  'resizes the tensor': (t) => () => op('aten::resize_')(t, [0]),
  'makes 10,000 tensors': () => () => {
    addon.disposeAll(Array.from({ length: 10_000 }, () => tensor([1])))
  },
  'resolves 50 operators': () => () => {
    for (let i = 0; i < 50; i++) addon.resolve('aten::add', 'Tensor')
  },
  throws: () => () => {
    throw new Error('in a getter')
  },
  'throws a number': () => () => {
    throw 5
  },
}

function* getters() {
  for (const [what, make] of Object.entries(reentrant)) {
    const run = (body) => () => {
      const t = x()
      return body(t, (array) => trapped(array, 1, make(t)))
    }
    yield {
      name: `reshape's sizes: a getter ${what}`,
      run: run((t, trap) => op('aten::reshape')(t, trap([1, 4]))),
    }
    yield { name: `cat's list: a getter ${what}`, run: run((t, trap) => op('aten::cat')(trap([t, t, t]), 0)) }
    yield {
      name: `add_'s list: a getter ${what}`,
      run: run((t, trap) => op('aten::_foreach_add_.List')(trap([t, t]), [t, t])),
    }
    yield {
      name: `fromBytes' sizes: a getter ${what}`,
      run: run((_, trap) => addon.fromBytes(new Float32Array(4), 6, trap([2, 2]))),
    }
    yield {
      name: `disposeAll's list: a getter ${what}`,
      run: run((t, trap) => addon.disposeAll(trap([t, t, t]))),
    }
    yield {
      name: `backward's list: a getter ${what}`,
      run: run((t, trap) => addon.backward(trap([sum(leaf()), t]), null, false)),
    }
    yield {
      name: `gradients' inputs: a getter ${what}`,
      run: run((t, trap) => addon.gradients([sum(leaf())], trap([t, t]), null, false, false, true)),
    }
  }
}

function* recursion() {
  const dig = (n) =>
    op('aten::reshape')(
      x(),
      trapped([1, 4], 1, () => dig(n + 1)),
    )
  yield { name: 'endless recursion through a getter', run: () => dig(0) }
  const sink = () => sink(addon.shape(x()))
  yield { name: 'endless recursion of calls', run: sink }
  const shrinking = [2, 2]
  Object.defineProperty(shrinking, 0, { get: () => shrinking.splice(1, 1).length + 3 })
  yield { name: 'an array that shrinks while it is read', run: () => op('aten::reshape')(x(), shrinking) }
  const detaching = new Float32Array(4)
  const sizes = trapped([2, 2], 1, () => structuredClone(detaching.buffer, { transfer: [detaching.buffer] }))
  yield {
    name: 'a buffer detached while the sizes are read',
    run: () => addon.fromBytes(detaching, 6, sizes),
  }
  const resizable = new ArrayBuffer(16, { maxByteLength: 64 })
  const view = new Float32Array(resizable, 0, 4)
  const resizing = trapped([2, 2], 1, () => resizable.resize(0))
  yield { name: 'a buffer shrunk while the sizes are read', run: () => addon.fromBytes(view, 6, resizing) }
  yield { name: 'a view past the end of a shrunk buffer', run: () => addon.copyIn(x(), view) }
}

export function* reentranceCases() {
  yield* getters()
  yield* recursion()
}
