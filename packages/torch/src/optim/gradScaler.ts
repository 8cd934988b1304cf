import { noGrad } from '../autograd.js'
import type { Tensor } from '../tensor/tensor.js'
import { tidy } from '../tidy.js'
import { foreachMul_ } from './foreach.js'
import type { Optimizer } from './optimizer.js'

/** How the loss scale moves. */
export interface GradScalerOptions {
  initialScale?: number
  growthFactor?: number
  backoffFactor?: number
  growthInterval?: number
  enabled?: boolean
}

/**
 * Loss scaling for float16 training: scales the loss so that small gradients survive, skips a step whose
 * gradients overflowed, and adapts the scale, as `torch.cuda.amp.GradScaler` does.
 */
export class GradScaler {
  readonly enabled: boolean
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

  /** Divides the gradients by the scale; whether all of them are finite. */
  unscale(optimizer: Optimizer): boolean {
    if (!this.enabled) return true
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

  /** Unscales, steps unless a gradient overflowed, and adapts the scale; whether the step was taken. */
  step(optimizer: Optimizer): boolean {
    const finite = this.unscale(optimizer)
    if (finite) optimizer.step()
    if (this.enabled) this.update(finite)
    return finite
  }

  private update(finite: boolean): void {
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

  loadState(state: { scale: number; growthTracker: number }): void {
    this.currentScale = state.scale
    this.growthTracker = state.growthTracker
  }
}
