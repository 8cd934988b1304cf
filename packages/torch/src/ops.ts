import { type Argument, inPlaceOp, tensorOp, tensorsOp } from './dispatch.js'
import type { TensorCore } from './tensor/core.js'
import type { Tensor } from './tensor/tensor.js'

// The ATen operators that the Tensor methods and nn functions call, under TypeScript names.

/** The right-hand side of an element-wise operator: a tensor (broadcast) or a number. */
export type Operand = Tensor | number

/** An operator with a `Tensor` and a `Scalar` overload, chosen by the operand. */
function binary(name: string, tensorOverload = 'Tensor', scalarOverload = 'Scalar') {
  const tensor = tensorOp(name, tensorOverload)
  const scalar = tensorOp(name, scalarOverload)
  return (self: TensorCore, other: Operand, ...rest: Argument[]): Tensor =>
    typeof other === 'object' ? tensor(self, other, ...rest) : scalar(self, other, ...rest)
}

function binaryInPlace(name: string) {
  const tensor = inPlaceOp(name, 'Tensor')
  const scalar = inPlaceOp(name, 'Scalar')
  return <T extends TensorCore>(self: T, other: Operand, ...rest: Argument[]): T =>
    typeof other === 'object' ? tensor(self, other, ...rest) : scalar(self, other, ...rest)
}

export const add = binary('aten::add')
export const sub = binary('aten::sub')
export const mul = binary('aten::mul')
export const div = binary('aten::div')
export const pow = binary('aten::pow', 'Tensor_Tensor', 'Tensor_Scalar')
export const eq = binary('aten::eq')
export const ne = binary('aten::ne')
export const lt = binary('aten::lt')
export const le = binary('aten::le')
export const gt = binary('aten::gt')
export const ge = binary('aten::ge')
export const addInPlace = binaryInPlace('aten::add_')
export const subInPlace = binaryInPlace('aten::sub_')
export const mulInPlace = binaryInPlace('aten::mul_')
export const divInPlace = binaryInPlace('aten::div_')

export const neg = tensorOp('aten::neg')
export const abs = tensorOp('aten::abs')
export const exp = tensorOp('aten::exp')
export const log = tensorOp('aten::log')
export const sqrt = tensorOp('aten::sqrt')
export const sin = tensorOp('aten::sin')
export const cos = tensorOp('aten::cos')
export const tanh = tensorOp('aten::tanh')
export const sigmoid = tensorOp('aten::sigmoid')
export const floor = tensorOp('aten::floor')
export const round = tensorOp('aten::round')
export const expm1 = tensorOp('aten::expm1')
export const isfinite = tensorOp('aten::isfinite')
export const logicalNot = tensorOp('aten::logical_not')
export const clamp = tensorOp('aten::clamp')
export const clampInPlace = inPlaceOp('aten::clamp_')
export const maximum = tensorOp('aten::maximum')
export const minimum = tensorOp('aten::minimum')
export const where = tensorOp('aten::where', 'self')
export const whereOut = tensorOp('aten::where', 'self_out')
export const relu = tensorOp('aten::relu')
export const reluInPlace = inPlaceOp('aten::relu_')
export const gelu = tensorOp('aten::gelu')
export const softmax = tensorOp('aten::softmax', 'int')
export const logSoftmax = tensorOp('aten::log_softmax', 'int')

export const copyInPlace = inPlaceOp('aten::copy_')
export const fillInPlace = inPlaceOp('aten::fill_', 'Scalar')
export const zeroInPlace = inPlaceOp('aten::zero_')
export const lerpInPlace = inPlaceOp('aten::lerp_', 'Scalar')
export const normalInPlace = inPlaceOp('aten::normal_')
export const uniformInPlace = inPlaceOp('aten::uniform_')
export const indexAddInPlace = inPlaceOp('aten::index_add_')

export const sumAll = tensorOp('aten::sum')
export const sumDims = tensorOp('aten::sum', 'dim_IntList')
export const meanAll = tensorOp('aten::mean')
export const meanDims = tensorOp('aten::mean', 'dim')
export const varDims = tensorOp('aten::var', 'dim')
export const normAll = tensorOp('aten::linalg_vector_norm')
export const maxAll = tensorOp('aten::max')
export const minAll = tensorOp('aten::min')
export const argmax = tensorOp('aten::argmax')
export const topk = tensorsOp('aten::topk')
export const sort = tensorsOp('aten::sort')
export const all = tensorOp('aten::all')
export const any = tensorOp('aten::any')
export const cumsum = tensorOp('aten::cumsum')

export const matmul = tensorOp('aten::matmul')
export const t = tensorOp('aten::t')
export const transpose = tensorOp('aten::transpose', 'int')
export const permute = tensorOp('aten::permute')
export const reshape = tensorOp('aten::reshape')
export const flatten = tensorOp('aten::flatten', 'using_ints')
export const squeeze = tensorOp('aten::squeeze', 'dim')
export const unsqueeze = tensorOp('aten::unsqueeze')
export const expand = tensorOp('aten::expand')
export const repeat = tensorOp('aten::repeat')
export const slice = tensorOp('aten::slice', 'Tensor')
export const select = tensorOp('aten::select', 'int')
export const narrow = tensorOp('aten::narrow')
export const indexSelect = tensorOp('aten::index_select')
export const gather = tensorOp('aten::gather')
export const unbind = tensorsOp('aten::unbind', 'int')
export const split = tensorsOp('aten::split', 'Tensor')
export const contiguous = tensorOp('aten::contiguous')
export const clone = tensorOp('aten::clone')
export const zerosLike = tensorOp('aten::zeros_like')
export const detach = tensorOp('aten::detach')
export const convert = tensorOp('aten::_to_copy')
export const pinMemory = tensorOp('aten::pin_memory')
export const cat = tensorOp('aten::cat')
export const stack = tensorOp('aten::stack')
