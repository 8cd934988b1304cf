import { test } from 'vitest'
import { openGolden } from '../../test/support/golden.js'
import { proto } from './logisticRegression.js'
test('exp', () => {
  const g = openGolden('g_linear')
  const y = Int32Array.from(g.i64('Y'), Number)
  for (const norm of ['none', 'l2']) {
    const X = Float32Array.from(g.f32('X'))
    if (norm === 'l2') for (let i = 0; i < 600; i++) { let s = 0; for (let j = 0; j < 64; j++) s += X[i*64+j]!**2; s = Math.sqrt(s); for (let j = 0; j < 64; j++) X[i*64+j]! /= s }
    const cases = g.json<any[]>('lbfgs').filter((c) => c.norm === norm)
    for (const o of [{ pre: false, rotate: false }, { pre: false }, { pre: true }, { pre: true, dtype: 'float32' }]) {
      const p = proto({ features: X, dim: 64, labels: y }, 6, o)
      for (const warm of [false, true]) {
      let prev: any
      const out = cases.map((c) => { const t = performance.now(); const r = p.fit(c.C, {start: warm ? prev : undefined, tol: 1e-7}); prev = r.x; return `C${c.C}: ${r.iterations} ${r.stop} ${((r.value - c.objective_tight)/c.objective_tight).toExponential(1)} ${(performance.now()-t).toFixed(0)}ms` })
      console.log(norm, JSON.stringify(o), warm, p.scale.toFixed(1), '\n  ', out.join('\n   '))
      }
    }
  }
})
