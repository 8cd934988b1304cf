import { noGrad } from '../autograd.js'
import type { Tensor } from '../tensor/tensor.js'
import { tidy } from '../tidy.js'
import { foreachMul_ } from './foreach.js'
import type { Optimizer } from './optimizer.js'

/** How the loss scale moves. */
export interface GradScalerOptions {
  /** The first scale; 65536 unless said. */
  initialScale?: number
  /** What the scale is multiplied by after `growthInterval` good updates in a row (2 after 2000). */
  growthFactor?: number
  /** What the scale is multiplied by after an overflow (0.5). */
  backoffFactor?: number
  growthInterval?: number
  /** Without it, `scale`, `unscale` and `update` do nothing and `step` is the optimizer's. */
  enabled?: boolean
}

/**
 * Loss scaling for float16 training: scales the loss so that small gradients survive, skips a step whose
 * gradients overflowed, and adapts the scale, as `torch.cuda.amp.GradScaler` does. A training step is
 * `scale(loss).backward()`, perhaps `unscale` to clip gradients, `step` for each optimizer, `update`.
 */
export class GradScaler {
  /** Whether it scales at all. */
  readonly enabled: boolean
  /** Optimizers whose gradients were unscaled since the last update. */
  private readonly unscaled = new Map<Optimizer, { finite: boolean; stepped: boolean }>()
  private currentScale: number
  private growthTracker = 0
  private readonly options: Required<GradScalerOptions>

  constructor(options: GradScalerOptions = {}) {
    this.options = {
      initialScale: 65536,
      growthFactor: 2,
      backoffFactor: 0.5,
      growthInterval: 2000,
      enabled: true,
      ...options,
    }
    this.enabled = this.options.enabled
    this.currentScale = this.options.initialScale
  }

  /** loss * scale: call `backward` on it. */
  scale(loss: Tensor): Tensor {
    return this.enabled ? loss.mul(this.currentScale) : loss
  }

  /**
   * Divides the gradients by the scale, to clip them before `step`; whether all of them are finite.
   * @throws Error when that was done since the last `update`.
   */
  unscale(optimizer: Optimizer): boolean {
    if (!this.enabled) return true
    if (this.unscaled.has(optimizer))
      throw new Error("the optimizer's gradients are unscaled already; call update() after each step")
    const finite = this.divide(optimizer)
    this.unscaled.set(optimizer, { finite, stepped: false })
    return finite
  }

  private divide(optimizer: Optimizer): boolean {
    return tidy(() =>
      noGrad(() => {
        const grads = optimizer.groups.flatMap((group) =>
          group.params.flatMap((parameter) => parameter.grad ?? []),
        )
        if (!grads.length) return true
        foreachMul_(grads, 1 / this.currentScale)
        const finite = grads.map((gradient) => gradient.isfinite().all())
        return Boolean(finite.reduce((all, one) => all.mul(one)).item())
      }),
    )
  }

  /**
   * Unscales, unless `unscale` has, and steps unless a gradient overflowed; whether the step was taken.
   * @throws Error when it was called for this optimizer since the last `update`.
   */
  step(optimizer: Optimizer): boolean {
    if (!this.unscaled.has(optimizer)) this.unscale(optimizer)
    const { finite, stepped } = this.unscaled.get(optimizer) ?? { finite: true, stepped: false } // disabled
    if (stepped)
      throw new Error('step() was called for this optimizer already; call update() after each step')
    if (finite) optimizer.step()
    if (this.enabled) this.unscaled.set(optimizer, { finite, stepped: true })
    return finite
  }

  /**
   * Adapts the scale after the steps of all optimizers: down if any gradient overflowed, else up at times.
   * @throws Error when there was no `step` or `unscale` since the last one.
   */
  update(): void {
    if (!this.enabled) return
    if (!this.unscaled.size) throw new Error('update() needs a step() or unscale() before it')
    const finite = [...this.unscaled.values()].every((optimizer) => optimizer.finite)
    this.unscaled.clear()
    const { growthFactor, backoffFactor, growthInterval } = this.options
    if (!finite) {
      this.currentScale *= backoffFactor
      this.growthTracker = 0
    } else if (++this.growthTracker === growthInterval) {
      this.currentScale *= growthFactor
      this.growthTracker = 0
    }
  }

  /** What a checkpoint holds of it. */
  state(): { scale: number; growthTracker: number } {
    return { scale: this.currentScale, growthTracker: this.growthTracker }
  }

  /** Goes on from a state that `state()` gave. */
  loadState(state: { scale: number; growthTracker: number }): void {
    this.currentScale = state.scale
    this.growthTracker = state.growthTracker
    this.unscaled.clear()
  }
}
