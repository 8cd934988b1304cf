import { readFileSync } from 'node:fs'
import { type Case, changed, inert, raw, refused, type Traps, u16, u32, unforetold } from './hostileModel.js'
import { call, global, text } from './pickles.js'
import { type Member, zipOf } from './zips.js'

const golden = (name: string) => readFileSync(new URL(`../golden/weights/${name}`, import.meta.url))

/** An array as numpy writes it. */
const npy = (descr: string, shape: string, data: Uint8Array | string = '', fortran = 'False') => {
  const head = `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }`.padEnd(117)
  return raw('\x93NUMPY\x01\0', u16(head.length + 1), head, '\n', data)
}
const FOUR = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer)
const array = npy("'<f4'", '(4,)', FOUR)
const zip =
  (data: Uint8Array | string, lies: Partial<Member> = {}) =>
  () =>
    zipOf([{ name: 'w.npy', data, ...lies }])
const damaged = refused(/array "w\.npy" is damaged/)
const MB = 1 << 20

export const npz = ({ marker }: Traps): Case[] => [
  ['as it should be', zip(array), inert()],
  ['compressed', zip(array, { deflated: true }), inert()],
  [
    'a bomb of zeros',
    zip(npy("'|u1'", `(${64 * MB},)`, Buffer.alloc(64 * MB)), { deflated: true }),
    refused(/would grow from/),
  ],
  [
    'a bomb that says it is small',
    zip(npy("'|u1'", '(100,)', Buffer.alloc(64 * MB)), { deflated: true, size: 228, localSize: 228 }),
    inert(),
  ],
  [
    'a bomb that says it is a terabyte',
    zip(npy("'|u1'", `(${2 ** 40},)`), { deflated: true, size: 0xfffffffe, localSize: 0xfffffffe }),
    refused(/is damaged|would grow/),
  ],
  [
    'a thousand small bombs',
    () =>
      zipOf(
        Array.from({ length: 1000 }, (_, i) => ({
          name: `${i}.npy`,
          data: npy("'|u1'", `(${MB / 8},)`, Buffer.alloc(MB / 8)),
          deflated: true,
        })),
      ),
    inert(),
  ],
  ['a stream that is cut', zip(array, { data: raw('\x4b\x4c'), method: 8, size: 144 }), damaged],
  [
    'a stream of empty blocks',
    zip(Buffer.from('000000ffff'.repeat(50_000), 'hex'), { method: 8, size: 144 }),
    damaged,
  ],
  ['a stream that copies from before its beginning', zip(raw('\x03\x02'), { method: 8, size: 144 }), damaged],
  ['a stream of a block of no kind', zip(raw('\x07'), { method: 8, size: 144 }), damaged],
  [
    'a code with too many symbols',
    zip(raw('\x05\xe0', Buffer.alloc(40, 0xff)), { method: 8, size: 144 }),
    damaged,
  ],
  ['a wrong checksum', zip(array, { crc: 1 }), inert()],
  [
    'compressed in another way',
    zip(array, { method: 12 }),
    refused(/compressed in a way that numpy does not use/),
  ],
  ['encrypted', zip(array, { flags: 1 }), refused(/is encrypted/)],
  [
    'an array twice',
    () =>
      zipOf([
        { name: 'w.npy', data: array },
        { name: 'w.npy', data: array },
      ]),
    refused(/two members are called/),
  ],
  [
    'arrays that overlap',
    () =>
      zipOf([
        { name: 'w.npy', data: array },
        { name: 'v.npy', data: array, offset: 0, localName: 'w.npy' },
      ]),
    refused(/another name in front of it/),
  ],
  [
    'objects, which are pickles',
    zip(npy("'|O'", '(1,)', raw('\x80\x02', call(global('os', 'system'), text(`touch ${marker}`)), '.'))),
    inert(),
  ],
  ['records', zip(npy("[('a', '<f4'), ('b', '|O')]", '(1,)', 'x'.repeat(12))), inert()],
  ['a type that is code', zip(npy(`__import__('os').system('touch ${marker}')`, '(4,)', FOUR)), inert()],
  ['a shape that is code', zip(npy("'<f4'", `(__import__('os'),)`, FOUR)), inert()],
  ['a type of Object', zip(npy("'constructor'", '(4,)', FOUR)), inert()],
  ['big-endian', zip(npy("'>f4'", '(4,)', FOUR)), refused(/another byte order/)],
  ['texts', zip(npy("'<U4'", '(1,)', FOUR)), inert()],
  ['more elements than bytes', zip(npy("'<f4'", '(400,)', FOUR)), damaged],
  ['fewer elements than bytes', zip(npy("'<f4'", '(3,)', FOUR)), damaged],
  ['a shape that overflows', zip(npy("'<f4'", '(4294967296, 4294967296, 4294967296)', FOUR)), damaged],
  ['a negative shape', zip(npy("'<f4'", '(-4,)', FOUR)), inert()],
  ['a shape of a thousand digits', zip(npy("'<f4'", `(${'9'.repeat(1000)},)`, FOUR)), refused(/is damaged/)],
  ['a shape of a hundred ones', zip(npy("'<f4'", `(${'1, '.repeat(100)})`, FOUR)), damaged],
  ['in Fortran order', zip(npy("'<f4'", '(2, 2)', FOUR, 'True')), inert()],
  [
    'a header of 60 kB',
    zip(raw('\x93NUMPY\x01\0', u16(60_000), ' '.repeat(60_000))),
    refused(/a header that is not understood/),
  ],
  [
    'a header of 4 GB',
    zip(raw('\x93NUMPY\x02\0', u32(0xffffffff), ' '.repeat(100))),
    refused(/a header that is not understood/),
  ],
  ['no array', zip('hello'), refused(/is no array in the format of numpy/)],
  [
    'an array called __proto__',
    () =>
      zipOf([
        { name: '__proto__.npy', data: array },
        { name: '__proto__', data: 'x' },
      ]),
    inert(),
  ],
  ['an array that climbs', () => zipOf([{ name: '../../x.npy', data: array }]), inert()],
  ...Array.from(
    { length: 5 },
    (_, i): Case => [`changed bytes ${i}`, () => changed(golden('kinds.npz'), 100 + i), unforetold],
  ),
]
