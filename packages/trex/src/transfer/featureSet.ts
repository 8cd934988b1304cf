/** Features of a data set with their class numbers. */
export interface FeatureSet {
  /** [n, dim], row-major. */
  readonly features: Float32Array
  readonly dim: number
  /** [n] class numbers from 0. */
  readonly labels: Int32Array
}
