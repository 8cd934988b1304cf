/** Synthetic features of realistic difficulty, for probes: Gaussian clusters, correlated, rectified like a ResNet's. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { fromTypedArray, Generator, noGrad, randn, tidy } from '../../packages/torch/dist/index.js'

/**
 * @typedef {{ trainval: number, test: number, classes: number, dim: number, seed: number, separation: number }} Shape
 * @typedef {{ features: Float32Array, dim: number, labels: Int32Array }} FeatureSet
 */

const FACTORS = 256

/**
 * Row i has class i mod classes. Its 256 factors have the spectrum j^-1/2 (class means and noise alike), are mixed into
 * `dim` features with noise of their own, and rectified: about a third of the values are 0.
 * @param {Shape} shape
 * @returns {{ trainval: FeatureSet, test: FeatureSet }}
 */
export function clusters({ trainval, test, classes, dim, seed, separation }) {
  const generator = new Generator(seed)
  const draw = (/** @type {number[]} */ shape) => randn(shape, { generator })
  const mixing = draw([FACTORS, dim]).mul(FACTORS ** -0.5)
  const means = draw([classes, FACTORS]).toFloat32Array()
  const spectrum = Float32Array.from({ length: FACTORS }, (_, j) => (j + 1) ** -0.5)
  /** @param {number} n */
  const make = (n) => {
    const labels = Int32Array.from({ length: n }, (_, i) => i % classes)
    const features = new Float32Array(n * dim)
    for (let at = 0; at < n; at += 1000) {
      const rows = Math.min(1000, n - at)
      const chunk = tidy(() =>
        noGrad(() => {
          const values = draw([rows, FACTORS]).toFloat32Array()
          for (let i = 0; i < values.length; i++) {
            const j = i % FACTORS
            const mean = means[labels[at + (i - j) / FACTORS] * FACTORS + j]
            values[i] = (values[i] + separation * mean) * spectrum[j]
          }
          return fromTypedArray(values, [rows, FACTORS])
            .matmul(mixing)
            .mul(1.8)
            .add(draw([rows, dim]).mul(0.15))
            .add(0.2)
            .relu()
            .toFloat32Array()
        }),
      )
      features.set(chunk, at * dim)
    }
    return { features, dim, labels }
  }
  return { trainval: make(trainval), test: make(test) }
}

/**
 * Writes arrays one after the other, as they lie in memory; a Python reads them with numpy.fromfile.
 * @param {string} path
 * @param {ArrayBufferView[]} arrays
 */
export function writeArrays(path, arrays) {
  const file = openSync(path, 'w')
  for (const { buffer, byteOffset, byteLength } of arrays) {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength)
    for (let at = 0; at < byteLength; ) at += writeSync(file, bytes, at)
  }
  closeSync(file)
}
