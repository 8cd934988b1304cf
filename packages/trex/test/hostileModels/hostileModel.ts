import { rngFor } from '../../src/rng.js'

/** A file that means no good, or is damaged, and what must become of it. */
export interface HostileModel {
  readonly kind: 'pth' | 'safetensors' | 'npz' | 'onnx' | 'config'
  readonly name: string
  readonly bytes: () => Uint8Array
  /** Of `trex import --inspect`: what its error says, or that it is read; `any`: either, as of a byte that was changed. */
  readonly inspect: RegExp | 'reads' | 'any'
  /** Of `trex import`, or of a settings file `resolveSettings`. */
  readonly imported: RegExp | 'reads' | 'any'
}

/** What a file is, beside its bytes. */
export type Outcome = Pick<HostileModel, 'inspect' | 'imported'>

/** It is refused whatever it is opened for. */
export const refused = (error: RegExp): Outcome => ({ inspect: error, imported: error })
/** It is shown, as nothing in it does anything, and holds no encoder. */
export const inert = (error = /holds no tensors by name|has no encoder that is recognised/): Outcome => ({
  inspect: 'reads',
  imported: error,
})
/** It is harmless. */
export const harmless: Outcome = { inspect: 'reads', imported: 'reads' }
/** A change whose effect is not foretold: it is read, or refused by an error of ours. */
export const unforetold: Outcome = { inspect: 'any', imported: 'any' }

/** A name with its bytes and its outcome, in short. */
export type Case = readonly [name: string, bytes: () => Uint8Array, outcome: Outcome]

/** The cases of a kind of file. */
export const casesOf = (kind: HostileModel['kind'], cases: readonly Case[]): HostileModel[] =>
  cases.map(([name, bytes, outcome]) => ({ kind, name, bytes, ...outcome }))

/** Bytes as they are, and texts with a byte for each character. */
export const raw = (...parts: (Uint8Array | string)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)))

export const u16 = (value: number): Buffer => raw(Uint8Array.of(value & 255, (value >> 8) & 255))
export const u32 = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer)
export const u64 = (value: number | bigint): Buffer => Buffer.from(BigUint64Array.of(BigInt(value)).buffer)

/** Bytes with some changed where `from` to `to` lie (default: anywhere), drawn by a seed. */
export function changed(bytes: Uint8Array, seed: number, from = 0, to = bytes.length): Uint8Array {
  const rng = rngFor(seed, 77)
  const copy = Uint8Array.from(bytes)
  const count = 1 + rng.int(4)
  for (let i = 0; i < count; i++) {
    const at = from + rng.int(to - from)
    copy[at] = rng.int(3) === 0 ? [0, 0xff, 0x7f, 0x80][rng.int(4)]! : copy[at]! ^ (1 << rng.int(8))
  }
  return copy
}

/** What a payload would leave or call, if it were run: the parent looks for both. */
export interface Traps {
  /** A path at which no file may appear. */
  readonly marker: string
  /** A port of this machine at which nobody may call. */
  readonly port: number
}
