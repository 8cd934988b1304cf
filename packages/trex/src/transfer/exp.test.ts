import { test } from 'vitest'
import { getNumThreads } from 'trex-torch'
import { rngFor } from '../rng.js'
import { proto } from './logisticRegression.js'
test('exp', { timeout: 500000 }, () => {
  const [n, d, K] = [2000, 512, 300]
  const r = rngFor(1)
  const base = Float32Array.from({ length: d }, () => r.normal())
  const means = Float32Array.from({ length: K * d }, () => 0.6 * r.normal())
  const labels = Int32Array.from({ length: n }, (_, i) => i % K)
  const features = new Float32Array(n * d)
  const mix = Float32Array.from({length: 64*d}, () => r.normal())
  for (let i = 0; i < n; i++) {
    const z = Array.from({length: 64}, () => 0.15*r.normal())
    for (let j = 0; j < d; j++) { let v = base[j]! + means[labels[i]! * d + j]! + 0.8*r.normal(); for (let k=0;k<64;k++) v += z[k]!*mix[k*d+j]!; features[i * d + j] = Math.max(0, v) * 0.5 }
  }
  for (const o of [{ pre: true, dtype: 'float32' }, { pre: true }]) {
    const p = proto({ features, dim: d, labels }, K, o)
    let prev: any
    const t0 = performance.now()
    let m = 0, its = 0
    const out = Array.from({ length: 12 }, (_, i) => 10 ** (i - 5)).map((C) => { const t = performance.now(); const r = p.fit(C, {start: prev, tol: o.dtype ? 1e-5 : 1e-6, maxIterations: 150}); prev = r.x; its += r.iterations; return `C${C}: ${r.iterations} ${r.stop} ${r.value.toExponential(9)} k=${r.kappa.toExponential(1)} g=${r.gradientMax.toExponential(1)} ${(performance.now()-t).toFixed(0)}ms` })
    console.log(JSON.stringify(o), getNumThreads(), 'svd', p.svdMs, 'scale', p.scale.toFixed(1), 'total', performance.now() - t0, its, '\n  ', out.join('\n   '))
  }
})
