import { hasOperator, schemaOf, tensorOp } from './dispatch.js'
import { conv2d } from './functional.js'
import { engineInfo } from './runtime.js'
import type { Tensor } from './tensor/tensor.js'
import { tidy } from './tidy.js'

/** What `fusedConv2d` does besides the convolution. */
export interface FusedConvOptions {
  readonly stride?: number
  readonly padding?: number
  /** Added to the convolution, [N, Cout, H', W']. */
  readonly add?: Tensor | null
  readonly relu?: boolean
}

const pointwise = tensorOp('mkldnn::_convolution_pointwise')
const binary = tensorOp('mkldnn::_convolution_pointwise', 'binary')

/**
 * relu(conv(x, weight) + bias + add) without gradients, in one pass over memory where libtorch has oneDNN's fused
 * kernel (on CPUs, in float32 and bfloat16), else in several.
 */
export function fusedConv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  { stride = 1, padding = 0, add = null, relu = false }: FusedConvOptions = {},
): Tensor {
  const onePixel = x.size(-1) === 1 && x.size(-2) === 1 // conv2d knows what to do (decision 7)
  if (onePixel || !isFused(x))
    return tidy(() => {
      const y = conv2d(x, weight, bias, { stride, padding })
      if (add) y.add_(add)
      return relu ? y.relu_() : y
    })
  const where = [
    [padding, padding],
    [stride, stride],
    [1, 1],
  ]
  return add
    ? binary(x, add, weight, bias, ...where, 1, 'add', 1, relu ? 'relu' : null, [], null)
    : pointwise(x, weight, bias, ...where, 1, relu ? 'relu' : 'none', [], '')
}

let known: boolean | undefined

/** Whether the operators are there, with the arguments that they are called with here. */
const isThere = (): boolean =>
  (known ??=
    hasOperator('mkldnn::_convolution_pointwise') &&
    hasOperator('mkldnn::_convolution_pointwise', 'binary') &&
    /str attr, Scalar\?\[\] scalars, str\? algorithm\)/.test(schemaOf('mkldnn::_convolution_pointwise')) &&
    /str binary_attr, Scalar\? alpha, str\? unary_attr, Scalar\?\[\] unary_scalars, str\? unary_algorithm\)/.test(
      schemaOf('mkldnn::_convolution_pointwise', 'binary'),
    ))

function isFused({ dtype, device }: Tensor): boolean {
  return device === 'cpu' && (dtype === 'float32' || (dtype === 'bfloat16' && engineInfo().bf16)) && isThere()
}
