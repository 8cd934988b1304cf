import { engineInfo } from 'trex-torch'
import { native } from '../../../torch/src/native.js'

// Every way in which the host learns what a device has computed, and thus waits for it. Without a GPU nothing waits, but
// the same calls are made.

/** Operators that answer with a host value, or whose result's shape depends on the data. */
const waiting = new Set(
  (
    '_local_scalar_dense item is_nonzero equal allclose nonzero argwhere masked_select ' +
    'unique_dim unique_consecutive _unique _unique2 bincount histc repeat_interleave one_hot'
  ).split(' '),
)
/** Operators that take an index, which may be a mask of bools; the position of the index. */
const indexing = new Map([
  ['index', 1],
  ['index_put', 1],
  ['index_put_', 1],
  ['_index_put_impl_', 1],
])
const BOOL = 11
const UINT8 = 0

const reads: string[] = []
let listening = false
const note = (what: string) => {
  if (listening) reads.push(what)
}

function wrapExports(): void {
  const engine = native()
  for (const name of ['item', 'copyOut', 'moveOut', 'synchronize', 'generatorState'] as const) {
    const call = engine[name] as (...args: unknown[]) => unknown
    Object.assign(engine, {
      [name]: (...args: unknown[]) => {
        note(name)
        return call(...args)
      },
    })
  }
}

function wrapOperators(): void {
  const engine = native()
  const resolve = engine.resolve.bind(engine)
  engine.resolve = (name, overload) => {
    const call = resolve(name, overload)
    const base = name.replace('aten::', '')
    return (...args) => {
      if (waiting.has(base)) note(name)
      if (base === 'to' || base === '_to_copy') if (args.includes('cpu')) note(`${name} to the CPU`)
      const index = args[indexing.get(base) ?? -1]
      if (Array.isArray(index) && index.some(isMask)) note(`${name} by a mask`)
      return call(...args)
    }
  }
}

const isMask = (handle: unknown) =>
  typeof handle === 'number' && [BOOL, UINT8].includes(native().dtype(handle))

let wrapped = false

/**
 * What the host read while `body` ran, by the name of the call. The first call of a test file comes before any operator:
 * those that were looked up before it are not seen.
 */
export function hostReads(body: () => void): string[] {
  if (!wrapped) {
    engineInfo()
    wrapExports()
    wrapOperators()
    wrapped = true
  }
  reads.length = 0
  listening = true
  try {
    body()
  } finally {
    listening = false
  }
  return [...reads]
}
