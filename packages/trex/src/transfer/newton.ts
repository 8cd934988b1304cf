import { cat, type DType, full, type Tensor, tidy } from 'trex-torch'
import type { LbfgsStop } from './lbfgs.js'
import { strongWolfe } from './lineSearch.js'
import type { LogitLoss, LossPoint } from './logitLoss.js'
import { times, transposedTimes } from './narrowProducts.js'

/** The inputs of a linear classifier, in the forms that a fit multiplies. */
export interface Design {
  /** Rows with a column of ones at the end [n, r + 1]. */
  readonly x: Tensor
  /** The same for products with the second derivative, which tolerate bfloat16. */
  readonly rough: Tensor
  /** The squares of x, as `rough`. */
  readonly squares: Tensor
}

/** Settings of `newton`. */
export interface NewtonOptions {
  readonly C: number
  /** The fit ends after a step that promised a decrease of at most this share of the objective. */
  readonly tolerance: number
  /** Default 100. */
  readonly maxIterations?: number | undefined
}

/** Where a minimisation ended and what it cost. */
export interface NewtonResult {
  /** [r + 1, C], the bias row last. */
  readonly theta: Tensor
  /** sum of the loss + ||W||^2 / (2 C) */
  readonly value: number
  readonly iterations: number
  /** Evaluations of the loss and its gradient: two products with x each. */
  readonly evaluations: number
  /** Products with the second derivative: two products with `rough` each. */
  readonly products: number
  readonly stop: LbfgsStop
}

/** Steps of conjugate gradients end when the preconditioned residual has fallen to this share. */
const FORCING = 0.1
const MAX_PRODUCTS = 400

/** Rows [n, r] with a column of ones at the end, which the bias multiplies. */
export function withOnes(rows: Tensor): Tensor {
  const { dtype, device } = rows
  return cat([rows, full([rows.size(0), 1], 1, { dtype, device })], 1) // [n, r + 1]
}

/** The design of rows [n, r] in their dtype; second derivatives are multiplied in `products`. */
export function designOf(rows: Tensor, products: DType): Design {
  const x = withOnes(rows) // [n, r + 1]
  return { x, rough: x.to(products), squares: x.mul(x).to(products) }
}

/**
 * Minimises loss(x theta) + ||W||^2 / (2 C) (the bias is not penalised) by Newton's method with conjugate gradients
 * preconditioned by the second derivative's diagonal: algorithm 7.1 of Nocedal and Wright, "Numerical Optimization"
 * (2006). In principal axes the diagonal is most of the matrix, so a fit takes about 5 steps of 3 to 20 products. The
 * line search moves logits, not weights: it costs no product.
 */
export function newton(
  design: Design,
  loss: LogitLoss,
  start: Tensor,
  { C, tolerance, maxIterations = 100 }: NewtonOptions,
): NewtonResult {
  return tidy(() => {
    const rows = design.x.size(1)
    const dtype = design.x.dtype
    const ridge = full([rows, 1], 1 / C, { dtype, device: design.x.device }) // [r + 1, 1]
    ridge.narrow(0, rows - 1, 1).mul_(0)
    const logits = times(design.x, start)
    const point = loss.at(logits)
    let state = { theta: start, logits, point, value: point.value + penalty(start, start) / (2 * C) }
    let [iterations, products] = [0, 0]
    let stop: LbfgsStop | null = null
    while (stop === null && iterations < maxIterations) {
      const step = tidy(() => {
        const gradient = addProduct(transposedTimes(design.x, state.point.residual), ridge, state.theta)
        const direction = conjugateGradients(design, loss, state.point, gradient, ridge)
        return { ...direction, slope: inner(gradient, direction.s) }
      })
      products += step.products
      const next = step.slope < 0 ? move(design, loss, state, step, C) : null
      if (next === null) {
        stop = step.slope === 0 ? 'gradient' : 'rounding'
        break
      }
      state = next
      iterations++
      if (-step.slope / 2 <= tolerance * state.value) stop = 'decrease'
    }
    const { theta, value } = state
    return { theta, value, iterations, evaluations: iterations + 1, products, stop: stop ?? 'iterations' }
  })
}

interface State {
  readonly theta: Tensor
  readonly logits: Tensor
  readonly point: LossPoint
  readonly value: number
}

/** An approximate solution s of H s = -gradient. */
function conjugateGradients(
  { rough, squares }: Design,
  loss: LogitLoss,
  point: LossPoint,
  gradient: Tensor,
  ridge: Tensor,
): { s: Tensor; products: number } {
  const { dtype } = gradient
  const curvature = transposedTimes(squares, loss.curvature(point).to(rough.dtype)).to(dtype)
  const diagonal = curvature.add(ridge).clamp(1e-30) // [r + 1, C]
  const s = gradient.mul(0)
  const residual = gradient.neg()
  const search = residual.div(diagonal)
  let rz = inner(residual, search)
  const first = rz
  let products = 0
  let promised = 0 // by the quadratic model
  while (products < MAX_PRODUCTS && rz > FORCING ** 2 * first) {
    const done = tidy(() => {
      const along = times(rough, search.to(rough.dtype)).to(dtype) // [n, C]
      const bent = transposedTimes(rough, loss.product(point, along).to(rough.dtype)).to(dtype)
      const product = addProduct(bent, ridge, search)
      const curved = inner(search, product)
      products++
      if (!(curved > 0)) return true
      s.add_(search, rz / curved)
      residual.add_(product, -rz / curved)
      const z = residual.div(diagonal)
      const gain = (rz * rz) / curved / 2
      promised += gain
      const next = inner(residual, z)
      search.mul_(next / rz).add_(z)
      rz = next
      // Steps that add little to the promise are worth less than a fresh gradient (Nash and Sofer 1990).
      return products * gain <= 0.5 * FORCING * promised
    })
    if (done) break
  }
  return { s, products }
}

/** The state at the strong Wolfe point along s, or null where rounding hides the decrease. */
function move(
  design: Design,
  loss: LogitLoss,
  { theta, logits, value }: State,
  { s, slope }: { s: Tensor; slope: number },
  C: number,
): State | null {
  return tidy(() => {
    const along = times(design.x, s) // [n, C]
    const [ws, ss, ww] = [penalty(theta, s), penalty(s, s), penalty(theta, theta)]
    let best: { point: LossPoint; value: number } | null = null
    const evaluate = (step: number) => {
      const point = loss.at(logits.add(along.mul(step)))
      best = { point, value: point.value + (ww + 2 * step * ws + step * step * ss) / (2 * C) }
      return { value: best.value, slope: inner(point.residual, along) + (ws + step * ss) / C }
    }
    const valueError = logits.dtype === 'float64' ? 1e-14 : 1e-6
    const step = strongWolfe(evaluate, { value, slope }, 1, { valueError, curvature: 0.5 })
    if (step === null || best === null) return null
    const reached: { point: LossPoint; value: number } = best
    return { ...reached, theta: theta.add(s.mul(step)), logits: logits.add(along.mul(step)) }
  })
}

const inner = (a: Tensor, b: Tensor): number => tidy(() => a.mul(b).sum().item())

/** sum of a * b without the bias row, in float64. */
const penalty = (a: Tensor, b: Tensor): number =>
  tidy(() => {
    const weights = (theta: Tensor) => theta.narrow(0, 0, theta.size(0) - 1).to('float64')
    return weights(a).mul(weights(b)).sum().item()
  })

/** product + ridge * vector */
const addProduct = (product: Tensor, ridge: Tensor, vector: Tensor): Tensor => product.add(vector.mul(ridge))
