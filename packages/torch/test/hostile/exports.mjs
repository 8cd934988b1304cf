/** Every export of the addon, each parameter replaced by each hostile value. */
import { addon, op, tensor } from './addon.mjs'
import { hostileValues } from './values.mjs'

const leaf = () => {
  const x = tensor([1, 2, 3, 4], [2, 2])
  addon.setRequiresGrad(x, true)
  return x
}
const square = (x) => op('aten::sum')(op('aten::mul.Tensor')(x, x))
const generator = () => addon.newGenerator(1)

/** For each export, arguments that work. */
export const templates = {
  resolve: () => ['aten::add', 'Tensor'],
  schema: () => ['aten::add', 'Tensor'],
  fromBytes: () => [new Float32Array(4), 6, [2, 2], false],
  copyOut: () => [tensor([1, 2, 3, 4]), new Float32Array(4)],
  copyIn: () => [tensor([1, 2, 3, 4]), new Float32Array(4)],
  moveOut: () => [tensor([1, 2])],
  shape: () => [tensor([1])],
  strides: () => [tensor([1])],
  dtype: () => [tensor([1])],
  device: () => [tensor([1])],
  isContiguous: () => [tensor([1]), 0],
  isPinned: () => [tensor([1])],
  item: () => [tensor([1])],
  dispose: () => [tensor([1])],
  disposeAll: () => [[tensor([1])]],
  account: () => [tensor([1])],
  liveTensors: () => [],
  backward: () => [[square(leaf())], null, false],
  gradients: () => {
    const x = leaf()
    return [[square(x)], [x], null, false, false, false]
  },
  requiresGrad: () => [tensor([1])],
  setRequiresGrad: () => [tensor([1]), true],
  isLeaf: () => [tensor([1])],
  grad: () => [leaf()],
  setGrad: () => [tensor([1]), tensor([2])],
  gradMode: () => [true],
  autocastState: () => ['cpu'],
  setAutocast: () => ['cpu', false, 15],
  autocastNesting: () => [1],
  engineInfo: () => [],
  threads: () => [1, false],
  trimMemory: () => [],
  lowerThreadPool: () => [0],
  setTf32: () => [false],
  setCudnnBenchmark: () => [false],
  setDeterministic: () => [false],
  synchronize: () => [0],
  manualSeed: () => [1],
  newGenerator: () => [1],
  defaultGenerator: () => ['cpu'],
  freeGenerator: () => [generator()],
  seedGenerator: () => [generator(), 1],
  generatorState: () => [generator()],
  setGeneratorState: () => {
    const g = generator()
    return [g, addon.generatorState(g)]
  },
}

/** Cases `{ name, run }` for one function with arguments that work. */
export function* spoiled(name, call, template) {
  yield { name: `${name}()`, run: () => call() }
  yield { name: `${name} with 50 arguments`, run: () => call(...template(), ...Array(50).fill(null)) }
  for (let i = 0; i < template().length; i++)
    for (const [what, make] of hostileValues)
      yield {
        name: `${name} argument ${i}: ${what}`,
        run: () => call(...template().with(i, make())),
      }
}

export function* exportCases() {
  for (const name of Object.keys(addon)) {
    if (!templates[name]) throw new Error(`no hostile calls for the export ${name}: add its arguments here`)
    yield* spoiled(name, addon[name], templates[name])
  }
}
