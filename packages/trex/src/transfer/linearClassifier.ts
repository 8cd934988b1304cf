import { fromTypedArray, noGrad, tidy } from 'trex-torch'
import { TrexError } from '../errors.js'

/** A linear classifier: logits = x @ weight^T + bias. */
export interface LinearClassifier {
  /** [classes, dim], row-major. */
  readonly weight: Float64Array
  /** [classes] */
  readonly bias: Float64Array
}

/** The class with the highest logit of every row of features [n, dim]. @throws TrexError for another width. */
export function predict({ weight, bias }: LinearClassifier, features: Float32Array): Int32Array {
  const classes = bias.length
  const dim = weight.length / classes
  if (features.length % dim !== 0)
    throw new TrexError(
      `${features.length} features do not divide into rows of ${dim}, the classifier's width`,
    )
  return tidy(() =>
    noGrad(() => {
      const x = fromTypedArray(features, [features.length / dim, dim]).to('float64') // [n, d]
      const w = fromTypedArray(weight, [classes, dim]) // [C, d]
      const logits = x.matmul(w.t()).add(fromTypedArray(bias, [classes])) // [n, C]
      return logits.argmax(1).to('int32').toTypedArray() as Int32Array
    }),
  )
}
