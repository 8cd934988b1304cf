import { tensorsOp, valueOp } from '../dispatch.js'
import type { Tensor } from '../tensor/tensor.js'

// The `_foreach_` operators: one call for a whole list of tensors, fused into few kernels on CUDA.

type List = readonly Tensor[]

const aten = {
  add: tensorsOp('aten::_foreach_add', 'List'),
  sqrt: tensorsOp('aten::_foreach_sqrt'),
  addListInPlace: valueOp('aten::_foreach_add_', 'List'),
  addScalarInPlace: valueOp('aten::_foreach_add_', 'Scalar'),
  mulScalarInPlace: valueOp('aten::_foreach_mul_', 'Scalar'),
  divScalarInPlace: valueOp('aten::_foreach_div_', 'Scalar'),
  addcmulInPlace: valueOp('aten::_foreach_addcmul_', 'Scalar'),
  addcdivInPlace: valueOp('aten::_foreach_addcdiv_', 'Scalar'),
}

/** a_i + alpha * b_i */
export const foreachAdd = (a: List, b: List, alpha = 1): Tensor[] => aten.add(a, b, alpha)
/** sqrt(a_i) */
export const foreachSqrt = (a: List): Tensor[] => aten.sqrt(a)
/** a_i <- a_i + alpha * b_i */
export const foreachAdd_ = (a: List, b: List, alpha = 1): void => aten.addListInPlace(a, b, alpha)
/** a_i <- a_i + value */
export const foreachAddScalar_ = (a: List, value: number): void => aten.addScalarInPlace(a, value)
/** a_i <- a_i * value */
export const foreachMul_ = (a: List, value: number): void => aten.mulScalarInPlace(a, value)
/** a_i <- a_i / value */
export const foreachDiv_ = (a: List, value: number): void => aten.divScalarInPlace(a, value)
/** a_i <- a_i + value * b_i * c_i */
export const foreachAddcmul_ = (a: List, b: List, c: List, value: number): void =>
  aten.addcmulInPlace(a, b, c, value)
/** a_i <- a_i + value * b_i / c_i */
export const foreachAddcdiv_ = (a: List, b: List, c: List, value: number): void =>
  aten.addcdivInPlace(a, b, c, value)
