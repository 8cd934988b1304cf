import { full, zeros } from '../create.js'
import type { Device } from '../dtype.js'
import type { Tensor } from '../tensor/tensor.js'
import { tidy } from '../tidy.js'
import { type ScaleState, unscaleGradients, updateScale } from './lossScale.js'
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

/** What was done with an optimizer since the last update. */
interface Progress {
  readonly foundInf: Tensor
  stepped: boolean
}

/**
 * Loss scaling for float16 training: scales the loss so that small gradients survive, skips a step whose
 * gradients overflowed, and adapts the scale, as `torch.amp.GradScaler` does. A training step is
 * `scale(loss).backward()`, perhaps `unscale` to clip gradients, `step` for each optimizer, `update`. Scale and overflow
 * are known to the device alone, so that none of these waits for it; everything lies on the device of the first loss.
 */
export class GradScaler {
  /** Whether it scales at all. */
  readonly enabled: boolean
  /** Optimizers whose gradients were unscaled since the last update. */
  private readonly unscaled = new Map<Optimizer, Progress>()
  private readonly options: Required<GradScalerOptions>
  /** What `onDevice` starts from. */
  private start: { scale: number; growthTracker: number }
  private onDevice: ScaleState | null = null

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
    this.start = { scale: this.options.initialScale, growthTracker: 0 }
  }

  /** loss * scale: call `backward` on it. */
  scale(loss: Tensor): Tensor {
    return this.enabled ? loss.mul(this.stateOn(loss.device).scale) : loss
  }

  /** The tensors of the state, made at the first use. */
  private stateOn(device: Device): ScaleState {
    return (this.onDevice ??= {
      scale: full([], this.start.scale, { device }).persist(),
      growthTracker: full([], this.start.growthTracker, { device, dtype: 'int32' }).persist(),
    })
  }

  /**
   * Divides the gradients by the scale, to clip them before `step`, which skips its update when one is not finite.
   * @throws Error when that was done since the last `update`.
   */
  unscale(optimizer: Optimizer): void {
    if (this.enabled) this.divide(optimizer)
  }

  private divide(optimizer: Optimizer): Progress {
    if (this.unscaled.has(optimizer))
      throw new Error("the optimizer's gradients are unscaled already; call update() after each step")
    return tidy(() => {
      const parameters = optimizer.groups.flatMap((group) => group.params)
      const { device } = parameters[0]!
      const foundInf = zeros([], { device }).persist()
      const grads = parameters.flatMap((parameter) => parameter.grad ?? [])
      unscaleGradients(grads, this.stateOn(device).scale, foundInf)
      const progress = { foundInf, stepped: false }
      this.unscaled.set(optimizer, progress)
      return progress
    })
  }

  /**
   * Unscales, unless `unscale` has, and steps; the step changes nothing if a gradient overflowed.
   * @throws Error when it was called for this optimizer since the last `update`.
   */
  step(optimizer: Optimizer): void {
    if (!this.enabled) {
      optimizer.step()
      return
    }
    const progress = this.unscaled.get(optimizer) ?? this.divide(optimizer)
    if (progress.stepped)
      throw new Error('step() was called for this optimizer already; call update() after each step')
    optimizer.step({ foundInf: progress.foundInf })
    progress.stepped = true
  }

  /**
   * Adapts the scale after the steps of all optimizers: down if any gradient overflowed, else up at times.
   * @throws Error when there was no `step` or `unscale` since the last one.
   */
  update(): void {
    if (!this.enabled) return
    const found = [...this.unscaled.values()].map(({ foundInf }) => foundInf)
    if (!found.length) throw new Error('update() needs a step() or unscale() before it')
    tidy(() =>
      updateScale(
        this.onDevice!,
        found.reduce((sum, one) => sum.add(one)),
        this.options,
      ),
    )
    this.forgetSteps()
  }

  private forgetSteps(): void {
    for (const { foundInf } of this.unscaled.values()) foundInf.dispose()
    this.unscaled.clear()
  }

  /** What a checkpoint holds of it; waits for the device. */
  state(): { scale: number; growthTracker: number } {
    if (!this.onDevice) return this.start
    const { scale, growthTracker } = this.onDevice
    return { scale: scale.item(), growthTracker: growthTracker.item() }
  }

  /** Goes on from a state that `state()` gave. */
  loadState({ scale, growthTracker }: { scale: number; growthTracker: number }): void {
    this.dispose()
    this.start = { scale, growthTracker }
  }

  /** Releases its tensors; it goes on from the state of its beginning, or of the last `loadState`. */
  dispose(): void {
    this.forgetSteps()
    this.onDevice?.scale.dispose()
    this.onDevice?.growthTracker.dispose()
    this.onDevice = null
  }
}
