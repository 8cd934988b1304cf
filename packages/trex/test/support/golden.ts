import { readFileSync } from 'node:fs'
import { parseSafetensors, typedArrayOf } from 'trex-torch/safetensors'
import type { Fingerprint } from './fingerprint.js'

/** Reference values of packages/trex/test/golden, by key. */
export interface Golden {
  readonly metadata: Readonly<Record<string, string>>
  readonly names: readonly string[]
  has(key: string): boolean
  shape(key: string): readonly number[]
  /** Relative error of a stored value: float64 results that would be large are kept as float32. */
  rounding(key: string): number
  /** A float tensor, F32 widened. */
  f64(key: string): Float64Array
  /** A float tensor, F64 rounded. */
  f32(key: string): Float32Array
  i64(key: string): BigInt64Array
  i32(key: string): Int32Array
  /** A metadata value that is JSON. */
  json<T>(key: string): T
  /** Fingerprints kept as `<key>.stats` and `<key>.first8`, by the tensor names of `<key>.names`. */
  fingerprints(key: string): Map<string, Fingerprint>
}

/** Opens a golden file: `openGolden('a_resnet18')`. */
export function openGolden(name: string): Golden {
  const url = new URL(`../golden/${name}.safetensors`, import.meta.url)
  const reader = parseSafetensors(readFileSync(url), `${name}.safetensors`)
  const array = <D extends string>(key: string, ...dtypes: D[]) => {
    const raw = reader.read(key)
    if (!dtypes.includes(raw.dtype as D)) throw new TypeError(`${name}: ${key} is ${raw.dtype}`)
    return typedArrayOf(raw)
  }
  const f64 = (key: string) => Float64Array.from(array(key, 'F64', 'F32') as Float64Array)
  const f32 = (key: string) => Float32Array.from(array(key, 'F32', 'F64') as Float32Array)
  const i64 = (key: string) => array(key, 'I64') as BigInt64Array
  const i32 = (key: string) => array(key, 'I32') as Int32Array
  const json = <T>(key: string): T => {
    const text = reader.metadata[key]
    if (text === undefined) throw new RangeError(`${name}: no metadata ${key}`)
    return JSON.parse(text)
  }
  const fingerprints = (key: string) => {
    const stats = f64(`${key}.stats`)
    const first8 = f64(`${key}.first8`)
    const rows = json<string[]>(`${key}.names`).map((tensor, i): [string, Fingerprint] => {
      const [sum, l2, dot] = stats.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number]
      return [tensor, { stats: [sum, l2, dot], first8: [...first8.subarray(8 * i, 8 * i + 8)] }]
    })
    return new Map(rows)
  }
  return {
    metadata: reader.metadata,
    names: [...reader.entries.keys()],
    has: (key) => reader.entries.has(key),
    shape: (key) => reader.read(key).shape,
    rounding: (key) => (reader.read(key).dtype === 'F64' ? 2 ** -53 : 2 ** -24),
    f64,
    f32,
    i64,
    i32,
    json,
    fingerprints,
  }
}
