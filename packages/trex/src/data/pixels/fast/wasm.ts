import { TrexError } from '../../../errors.js'
import { WASM_BASE64 } from './wasmBytes.js'

/** The part of the WebAssembly API that is used; TypeScript has it in its library for browsers only. */
declare const WebAssembly: {
  validate(bytes: Uint8Array): boolean
  Module: new (bytes: Uint8Array) => WasmModule
  Instance: new (module: WasmModule) => { readonly exports: unknown }
}

/** A compiled module. */
interface WasmModule {
  readonly [Symbol.toStringTag]: 'WebAssembly.Module'
}

/** What the module of packages/trex/assembly exports; addresses are bytes in `memory`. */
export interface PixelsExports {
  memory: { readonly buffer: ArrayBuffer }
  /** Not zero if the last trap was for want of memory. */
  exhausted: { readonly value: number }
  newImage(width: number, height: number): number
  resize(
    ...args: [
      ...box: [left: number, top: number, width: number, height: number],
      ...outSize: [width: number, height: number],
      ...window: [left: number, top: number, width: number, height: number],
      ...place: [atX: number, atY: number],
      ...cropSize: [width: number, height: number],
      bicubic: number,
      flip: number,
    ]
  ): void
  brightness(factor: number): void
  contrast(factor: number): void
  saturation(factor: number): void
  rgbToHsv(): void
  hsvToRgb(shift: number): void
  grayscale(): void
  solarize(threshold: number): void
  blur(radius: number, inner: number, outer: number): void
  readPacked(): number
  newTable(): number
  normalize(table: number): void
}

let compiled: WasmModule | null = null

function compile(): WasmModule {
  if (typeof WebAssembly === 'undefined') throw noSimd('no WebAssembly')
  const bytes = Uint8Array.from(atob(WASM_BASE64), (character) => character.charCodeAt(0))
  // A platform without SIMD refuses the module, which is known to be valid.
  if (!WebAssembly.validate(bytes)) throw noSimd('no WebAssembly SIMD')
  return new WebAssembly.Module(bytes)
}

function noSimd(lack: string): TrexError {
  return new TrexError(`this platform has ${lack}, which the fast pixel operations need`, {
    hint: 'use Node 20 or a browser of 2023 or later, or the plain functions (resizeImage, multiCrop, ...)',
  })
}

/** A new instance with a memory of its own; the module is compiled once. Throws TrexError without SIMD. */
export function instantiate(): PixelsExports {
  compiled ??= compile()
  return new WebAssembly.Instance(compiled).exports as PixelsExports
}
