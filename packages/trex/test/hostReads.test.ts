import {
  AdamW,
  allFinite,
  clipGradNorm_,
  GradScaler,
  type Optimizer,
  oneHot,
  SGD,
  setNumThreads,
  type Tensor,
  tensor,
  tensorOp,
  tidy,
  valueOp,
} from 'trex-torch'
import { beforeAll, describe, expect, test } from 'vitest'
import { disposeLearner, type Learner, learnerState } from '../src/train/learner.js'
import { trainStep } from '../src/train/step.js'
import { openGolden } from './support/golden.js'
import { createGoldenLearner, goldenInput } from './support/goldenLearner.js'
import { hostReads } from './support/hostReads.js'

// A step that reads nothing from the device runs ahead of it: the next batch is prepared while this one is computed.

beforeAll(() => {
  hostReads(() => {}) // before any operator is looked up
  setNumThreads(1)
})

describe('a read is seen:', () => {
  const x = () => tensor([1, 2])
  const one = () => tensor(1)
  const index = tensorOp('aten::index', 'Tensor')
  const cases: [string, () => unknown, string[]][] = [
    ['item', () => one().item(), ['item']],
    ['toTypedArray', () => x().toTypedArray(), ['copyOut']],
    ['toFloat32Array', () => x().to('float64').toFloat32Array(), ['copyOut']],
    ['moveToTypedArray', () => x().moveToTypedArray(), ['moveOut']],
    ['is_nonzero', () => valueOp<boolean>('aten::is_nonzero')(one()), ['aten::is_nonzero']],
    ['equal', () => valueOp<boolean>('aten::equal')(x(), x()), ['aten::equal']],
    ['to the CPU', () => tensorOp('aten::_to_copy')(x(), 7, null, 'cpu'), ['aten::_to_copy to the CPU']],
    ['nonzero', () => tensorOp('aten::nonzero')(x()), ['aten::nonzero']],
    ['masked_select', () => tensorOp('aten::masked_select')(x(), x().gt(1)), ['aten::masked_select']],
    ['a mask', () => index(x(), [x().gt(1)]), ['aten::index by a mask']],
    ['oneHot', () => oneHot(tensor([0, 1], { dtype: 'int64' }), 2), ['aten::one_hot']],
    ['an index is none', () => index(x(), [tensor([1], { dtype: 'int64' })]), []],
    ['arithmetic is none', () => x().add(1).mul(x()).sum().isfinite().all(), []],
  ]
  test.each(cases)('%s', (_name, body, expected) => {
    expect(hostReads(() => tidy(() => void body()))).toEqual(expected)
  })
})

/** A learner with another optimizer over the same parameters, or another scaler. */
function withParts(
  learner: Learner,
  make: ((params: Optimizer['groups']) => Optimizer) | null,
  scaler: GradScaler,
): Learner {
  const optimizer = make ? make(learner.optimizer.groups) : learner.optimizer
  return { ...learner, optimizer: optimizer as Learner['optimizer'], scaler }
}

describe.each([
  ['Eq. 1', 'plain1'],
  ['Eq. 2', 'ocm1'],
])('a training step of %s reads nothing from the device', (_equation, name) => {
  test.each([
    ['SGD', (groups: Optimizer['groups']) => new SGD(groups, { lr: 0, momentum: 0.9 })],
    ['AdamW', (groups: Optimizer['groups']) => new AdamW(groups)],
  ])('%s, with and without a scaler', (_optimizer, make) => {
    const golden = openGolden(`e_${name}`)
    for (const enabled of [false, true]) {
      const learner = withParts(createGoldenLearner(golden), make, new GradScaler({ enabled }))
      const weight = learnerState(learner).get('model.encoder.conv1.weight')!
      const before = weight.clone()
      for (const t of [0, 1, 2]) {
        const input = tidy(() => goldenInput(t))
        expect(hostReads(() => tidy(() => void trainStep(learner, input, 1e-3)))).toEqual([])
      }
      expect(differs(weight, before)).toBe(true)
      learner.scaler.dispose()
      disposeLearner(learner)
    }
  })

  test('clipping, and whether all is finite, do not either', () => {
    const learner = createGoldenLearner(openGolden(`e_${name}`))
    const scaler = new GradScaler()
    const params = learner.optimizer.groups.flatMap((group) => group.params)
    tidy(() => {
      const { crops } = goldenInput(0)
      const body = () => {
        scaler.scale(learner.model.embed(crops).pow(2).sum()).backward()
        scaler.unscale(learner.optimizer)
        clipGradNorm_(params, 1)
        scaler.step(learner.optimizer)
        scaler.update()
        allFinite(params)
      }
      expect(hostReads(body)).toEqual([])
    })
    scaler.dispose()
    disposeLearner(learner)
  })
})

const differs = (a: Tensor, b: Tensor) => tidy(() => a.sub(b).abs().max().item() > 0)
