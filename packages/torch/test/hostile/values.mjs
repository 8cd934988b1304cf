/** Values that fit no parameter, or only just. */
import { createHash } from 'node:crypto'

/** An array whose element `i` runs `action` when it is read. */
export function trapped(array, i, action) {
  const value = array[i]
  return Object.defineProperty([...array], i, {
    get() {
      action()
      return value
    },
  })
}

function detached() {
  const array = new Float32Array(4)
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}

function revoked() {
  const { proxy, revoke } = Proxy.revocable([], {})
  revoke()
  return proxy
}

function cyclic() {
  const array = [1]
  array.push(array)
  return array
}

const fail = () => {
  throw new RangeError('thrown by a getter')
}

/** Name and how to make it: anew for each call, since some calls spoil them. */
export const hostileValues = [
  ['undefined', () => undefined],
  ['null', () => null],
  ['NaN', () => Number.NaN],
  ['Infinity', () => Infinity],
  ['-Infinity', () => -Infinity],
  ['-0', () => -0],
  ['0', () => 0],
  ['-1', () => -1],
  ['0.5', () => 0.5],
  ['1e30', () => 1e30],
  ['2^53', () => 2 ** 53],
  ['-2^53', () => -(2 ** 53)],
  ['2^46, a handle that never was', () => 2 ** 46],
  ['2^52, the first generator', () => 2 ** 52],
  ['5n', () => 5n],
  ['2^63 - 1 as bigint', () => 2n ** 63n - 1n],
  ['2^200 as bigint', () => 2n ** 200n],
  ['true', () => true],
  ['empty string', () => ''],
  ['string', () => 'abc'],
  ['string with NUL', () => 'cpu\0'],
  ['lone surrogate', () => '\ud800'],
  ['2 MiB string', () => 'x'.repeat(1 << 21)],
  ['device', () => 'cuda:7'],
  ['symbol', () => Symbol('s')],
  ['function', () => () => 1],
  ['object', () => ({})],
  ['object with valueOf', () => ({ valueOf: fail, toString: fail, [Symbol.toPrimitive]: fail })],
  ['null prototype', () => Object.create(null)],
  ['date', () => new Date(Number.NaN)],
  ['promise', () => Promise.resolve(1)],
  ['object of another native module', () => createHash('md5')],
  ['empty array', () => []],
  ['array of strings', () => ['a', 'b']],
  ['array of NaN', () => [Number.NaN]],
  ['array of negatives', () => [-1, -2]],
  ['array of huge numbers', () => [1e15, 1e15]],
  ['array of 2^62', () => [2n ** 62n, 2n ** 62n]],
  ['array of bad handles', () => [2 ** 50, 3]],
  ['nested arrays', () => [[[1]], [2]]],
  ['sparse array', () => Object.assign([], { length: 4, 1: 1 })],
  ['long sparse array', () => Object.assign([], { length: 2 ** 16 })],
  ['array of 2^32 - 1 holes', () => Object.assign([], { length: 2 ** 32 - 1 })],
  ['array of 100 sizes', () => Array(100).fill(1)],
  ['array that is its own element', cyclic],
  ['array with a throwing getter', () => trapped([1, 2], 1, fail)],
  ['proxy of an array', () => new Proxy([1, 2], {})],
  ['proxy that throws', () => new Proxy([1, 2], { get: fail })],
  ['revoked proxy', revoked],
  ['array-like', () => ({ length: 2, 0: 1, 1: 2 })],
  ['detached typed array', detached],
  ['wrong length', () => new Float32Array(3)],
  ['empty typed array', () => new Float64Array(0)],
  ['BigUint64Array', () => new BigUint64Array(2)],
  ['ArrayBuffer', () => new ArrayBuffer(16)],
  ['SharedArrayBuffer', () => new SharedArrayBuffer(16)],
  ['odd view of a SharedArrayBuffer', () => new Uint8Array(new SharedArrayBuffer(17), 1, 16)],
  ['DataView', () => new DataView(new ArrayBuffer(16), 3, 5)],
  ['typed array of a resizable buffer', () => new Uint8Array(new ArrayBuffer(16, { maxByteLength: 64 }))],
]
