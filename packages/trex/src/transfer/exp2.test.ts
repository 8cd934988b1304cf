import { test } from 'vitest'
import { getNumThreads, setNumThreads, randn, randint, tidy, noGrad, engineInfo } from 'trex-torch'
test('exp', { timeout: 500000 }, () => noGrad(() => {
  console.log(engineInfo())
  for (const threads of [2, 1]) for (const dtype of ['float32', 'float64'] as const) tidy(() => {
  setNumThreads(threads)
  const x = randn([2000, 513]).to(dtype), w = randn([513, 300]).to(dtype), r = randn([2000, 300]).to(dtype), col = randint(0, 300, [2000, 1]), v = w.to('float64').clone(), u = v.clone()
  const time = (name: string, f: () => unknown) => {
    tidy(() => { f() }); const t = performance.now(), c = process.cpuUsage(); let k = 0
    while (performance.now() - t < 400) { tidy(() => { f() }); k++ }
    const cu = process.cpuUsage(c)
    console.log(threads, dtype, name, ((performance.now() - t) / k).toFixed(3), 'ms wall', ((cu.user + cu.system) / 1000 / k).toFixed(3), 'ms cpu')
  }
  time('x@w', () => x.matmul(w))
  time('xT@r', () => x.t().matmul(r))
  time('rT@x', () => r.t().matmul(x))
  time('logsoftmax', () => r.logSoftmax(1))
  time('exp', () => r.exp())
  time('gather', () => r.gather(1, col))
  time('dot', () => v.mul(u).sum().item())
  time('axpy', () => v.sub_(u, 1e-9))
  time('div', () => v.div(u))
  })
  setNumThreads(2)
}))
