/** The addon itself, without the TypeScript around it. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const record = process.env.TREX_ENGINE || fileURLToPath(new URL('../../build/current.json', import.meta.url))

export const addon = createRequire(import.meta.url)(JSON.parse(readFileSync(record, 'utf8')).addon)

const made = []

/** Remembers the tensors of a result, to be released after the case. */
export function note(result) {
  for (const item of Array.isArray(result) ? result : [result])
    if (typeof item === 'number' && item >= 2 ** 24) made.push(item)
  return result
}

/** Releases the tensors of the last case. */
export const release = () => addon.disposeAll(made.splice(0))

const ops = new Map()

/** An operator of libtorch by `name` or `name.overload`, resolved once. */
export function op(spelled) {
  const [name, overload = ''] = spelled.split('.')
  if (!ops.has(spelled)) {
    const call = addon.resolve(name, overload)
    ops.set(spelled, (...args) => note(call(...args)))
  }
  return ops.get(spelled)
}

/** A float32 tensor of these values. */
export const tensor = (values, shape = [values.length]) =>
  note(addon.fromBytes(Float32Array.from(values), 6, shape))

/** The elements of a float32 tensor. */
export function read(handle) {
  const out = new Float32Array(addon.shape(handle).reduce((a, b) => a * b, 1))
  addon.copyOut(handle, out)
  return [...out]
}

/** A 2 x 2 matrix; one that requires a gradient; the sum of a tensor. */
export const x = () => tensor([1, 2, 3, 4], [2, 2])
export const leaf = () => {
  const made = x()
  addon.setRequiresGrad(made, true)
  return made
}
export const sum = (t) => op('aten::sum')(t)
