/** Operators through the boxed dispatcher, each argument replaced by each hostile value. */
import { addon, op, tensor } from './addon.mjs'
import { spoiled } from './exports.mjs'

const x = () => tensor([1, 2, 3, 4, 5, 6], [2, 3])
const image = () => tensor(Array(32).fill(1), [1, 2, 4, 4])
const long = (...values) => addon.fromBytes(BigInt64Array.from(values, BigInt), 4, [values.length])

/** For each operator, arguments that work. */
export const operators = {
  'aten::add.Tensor': () => [x(), x(), 1],
  'aten::add.Scalar': () => [x(), 1, 1],
  'aten::add_.Tensor': () => [x(), x(), 1],
  'aten::add.out': () => [x(), x(), 1, tensor([0])],
  'aten::sum.dim_IntList': () => [x(), [0], false, null],
  'aten::var.dim': () => [x(), [0], true, false],
  'aten::argmax': () => [x(), 1, false],
  'aten::topk': () => [x(), 2, -1, true, true],
  'aten::sort': () => [x(), -1, false],
  'aten::cumsum': () => [x(), 0, null],
  'aten::linalg_vector_norm': () => [x(), 2, [1], false, null],
  'aten::matmul': () => [x(), tensor([1, 2, 3])],
  'aten::transpose.int': () => [x(), 0, 1],
  'aten::permute': () => [x(), [1, 0]],
  'aten::reshape': () => [x(), [3, 2]],
  'aten::view': () => [x(), [6]],
  'aten::squeeze.dim': () => [x(), 0],
  'aten::expand': () => [tensor([1], [1, 1]), [2, 3], false],
  'aten::repeat': () => [x(), [1, 2]],
  'aten::slice.Tensor': () => [x(), 1, 0, 2, 1],
  'aten::select.int': () => [x(), 1, 1],
  'aten::narrow': () => [x(), 1, 0, 2],
  'aten::index_select': () => [x(), 1, long(0, 2)],
  'aten::gather': () => [x(), 1, addon.fromBytes(new BigInt64Array(2), 4, [2, 1]), false],
  'aten::index.Tensor': () => [x(), [null, long(0, 1)]],
  'aten::index_add_': () => [x(), 1, long(0), tensor([1, 2], [2, 1]), 1],
  'aten::split.Tensor': () => [x(), 1, 0],
  'aten::cat': () => [[x(), x()], 0],
  'aten::stack': () => [[x(), x()], 0],
  'aten::as_strided': () => [x(), [2], [1], 0],
  'aten::resize_': () => [x(), [4], null],
  'aten::set_.source_Tensor': () => [x(), x()],
  'aten::unfold': () => [x(), 1, 2, 1],
  'aten::to.dtype': () => [x(), 6, false, false, null],
  'aten::_to_copy': () => [x(), 7, null, 'cpu', null, false, null],
  'aten::contiguous': () => [x(), 0],
  'aten::clone': () => [x(), 1],
  'aten::empty.memory_format': () => [[2, 3], 6, 0, 'cpu', false, null],
  'aten::full': () => [[2, 3], 1, 6, null, null, null],
  'aten::arange.start_step': () => [0, 4, 1, 6, null, null, null],
  'aten::linspace': () => [0, 1, 5, 6, null, null, null],
  'aten::eye': () => [3, 6, null, null, null],
  'aten::one_hot': () => [long(0, 1), 3],
  'aten::randint.low_generator': () => [0, 5, [3], null, 4, null, null, null],
  'aten::randperm.generator': () => [5, null, 4, null, null, null],
  'aten::normal_': () => [x(), 0, 1, null],
  'aten::uniform_': () => [x(), 0, 1, null],
  'aten::multinomial': () => [x(), 1, false, null],
  'aten::clamp': () => [x(), 0, 1],
  'aten::where.self': () => [op('aten::gt.Scalar')(x(), 2), x(), x()],
  'aten::pow.Tensor_Scalar': () => [x(), 2],
  'aten::linear': () => [x(), x(), null],
  'aten::conv2d': () => [image(), tensor(Array(8).fill(1), [1, 2, 2, 2]), null, [1, 1], [0, 0], [1, 1], 1],
  'aten::batch_norm': () => [x(), null, null, null, null, true, 0.1, 1e-5, false],
  'aten::max_pool2d': () => [image(), [2, 2], [1, 1], [0, 0], [1, 1], false],
  'aten::avg_pool2d': () => [image(), [2, 2], [1, 1], [0, 0], false, true, null],
  'aten::adaptive_avg_pool2d': () => [image(), [2, 2]],
  'aten::upsample_bilinear2d': () => [image(), [3, 3], false, null, null],
  'aten::dropout': () => [x(), 0.5, true],
  'aten::embedding': () => [x(), long(0, 1), -1, false, false],
  'aten::cross_entropy_loss': () => [x(), long(0, 1), null, 1, -100, 0],
  'aten::nll_loss': () => [x(), long(0, 1), null, 1, -100],
  'aten::mse_loss': () => [x(), x(), 1],
  'aten::gelu': () => [x(), 'none'],
  'aten::softmax.int': () => [x(), 1, null],
  'aten::_foreach_add_.List': () => [[x(), x()], [x(), x()], 1],
  'aten::_foreach_mul_.Scalar': () => [[x()], 2],
  'aten::einsum': () => ['ij,kj->ik', [x(), x()], null],
  'aten::linalg_svd': () => [x(), false, null],
  'aten::copy_': () => [x(), x(), false],
  'aten::fill_.Scalar': () => [x(), 1],
}

/** libtorch 1.13 takes the groups of a convolution modulo 2^32 and divides by the 0 this gives. */
const abortsIn113 = /^aten::conv2d argument 6: 2\^(46|52|53)\b/
const is113 = addon.engineInfo().version.startsWith('1.')

export function* operatorCases() {
  for (const [name, template] of Object.entries(operators))
    for (const spoiledCase of spoiled(name, op(name), template))
      if (!(is113 && abortsIn113.test(spoiledCase.name))) yield spoiledCase
}
