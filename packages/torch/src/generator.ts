import type { Device } from './dtype.js'
import { Handle } from './handle.js'
import { native } from './native.js'
import { Tensor } from './tensor/tensor.js'

const collected = new FinalizationRegistry<number>((handle) => native().freeGenerator(handle))

/** A source of random numbers with a seed and a state that can be saved; PyTorch's `torch.Generator`. */
export class Generator extends Handle {
  /** A CPU generator of its own; `Generator.of(device)` gives the default one that operators use. */
  constructor(seed: number | bigint) {
    super(native().newGenerator(seed))
    collected.register(this, this.handle, this)
  }

  /** The default generator of a device, shared by every operator that is given none. */
  static of(device: Device): Generator {
    const generator = Object.create(Generator.prototype) as Generator
    generator.handle = native().defaultGenerator(device)
    collected.register(generator, generator.handle, generator)
    return generator
  }

  /** Starts anew from `seed`. */
  seed(seed: number | bigint): this {
    native().seedGenerator(this.handle, seed)
    return this
  }

  /** The full state: as bytes that `setState` takes back, so that a resumed run draws the same numbers. */
  state(): Uint8Array {
    using bytes = new Tensor(native().generatorState(this.handle))
    return bytes.toTypedArray() as Uint8Array
  }

  /**
   * Goes on from a state that `state()` gave.
   * @throws Error `ERR_TORCH` or `ERR_ARGUMENT` when the bytes are not a state of this kind of generator.
   */
  setState(state: Uint8Array): void {
    using bytes = new Tensor(native().fromBytes(state, 0, [state.length]))
    native().setGeneratorState(this.handle, bytes.handle)
  }

  /** Releases it now rather than with the garbage collector; later uses throw `ERR_DISPOSED`. */
  dispose(): void {
    if (this.handle === 0) return
    collected.unregister(this)
    native().freeGenerator(this.handle)
    this.handle = 0
  }

  /** `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Seeds the default generators of all devices. */
export function manualSeed(seed: number | bigint): void {
  native().manualSeed(seed)
}
