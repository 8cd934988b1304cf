import { safetensorsChunks } from 'trex-torch/safetensors'
import { encoderShapes } from '../../src/checkpoints/encoderShapes.js'
import { type Case, changed, harmless, inert, raw, refused, u64, unforetold } from './hostileModel.js'
import { RESNET18 } from './pickles.js'

/** A file of a header and zeros. */
const file =
  (header: string | Uint8Array, data = 0, length?: number | bigint) =>
  () => {
    const json = typeof header === 'string' ? Buffer.from(header) : header
    return raw(u64(length ?? json.length), json, Buffer.alloc(data))
  }
const entry = (
  begin: number | string,
  end: number | string,
  shape = `[${Number(end) - Number(begin)}]`,
  dtype = 'U8',
) => `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`
const one = (begin: number | string, end: number | string, shape?: string, dtype?: string) =>
  `{"w":${entry(begin, end, shape, dtype)}}`
const MB = 1 << 20

const small = () =>
  raw(
    ...safetensorsChunks(
      [
        { name: 'conv.weight', dtype: 'F32', shape: [2, 3], data: new Uint8Array(24) },
        { name: 'conv.count', dtype: 'I64', shape: [], data: new Uint8Array(8) },
      ],
      { epoch: '3' },
    ),
  )
/** A whole ResNet-18 of bfloat16 zeros. */
const whole =
  (metadata: Record<string, string> = {}) =>
  () =>
    raw(
      ...safetensorsChunks(
        [...encoderShapes(RESNET18)].map(([name, shape]) => {
          const size = shape.reduce((product, length) => product * length, 2)
          return { name, dtype: 'BF16' as const, shape, data: new Uint8Array(size) }
        }),
        metadata,
      ),
    )

export const safetensors: Case[] = [
  ['as it should be', small, inert()],
  ['a whole encoder', whole(), harmless],
  [
    'a whole encoder with a wrong description',
    whole({ 'trex.model': '{"version":2}' }),
    { inspect: 'reads', imported: /its trex\.model is wrong/ },
  ],
  [
    'a whole encoder with a deep description',
    whole({ 'trex.model': '['.repeat(100_000) }),
    { inspect: 'reads', imported: /its trex\.model is wrong/ },
  ],
  [
    'a whole encoder with __proto__ in its description',
    whole({ 'trex.model': '{"__proto__":{"version":1}}' }),
    { inspect: 'reads', imported: /its trex\.model is wrong/ },
  ],
  ['a header of 2^63 bytes', file('{}', 0, 2n ** 63n), refused(/is no file of weights|announces a header/)],
  [
    'a header of 100 MB in a small file',
    file('{}', 10, 99_999_999),
    refused(/truncated: header of 99999999 bytes/),
  ],
  ['a header longer than the file', file('{}', 0, 3), refused(/truncated/)],
  ['a header of nothing', () => raw(u64(0), '{}'), refused(/header does not start|hole/)],
  [
    'a header that is mostly what the file is',
    file(`{"__metadata__":{"a":"${'x'.repeat(3 * MB)}"}}`),
    refused(/bytes are header/),
  ],
  [
    'a flood of empty tensors',
    file(`{${Array.from({ length: 60_000 }, (_, i) => `"${i}":${entry(0, 0)}`).join(',')}}`),
    refused(/bytes are header/),
  ],
  [
    '20,000 empty tensors',
    file(`{${Array.from({ length: 20_000 }, (_, i) => `"${i}":${entry(0, 0)}`).join(',')}}`),
    inert(),
  ],
  ['metadata of a megabyte', file(`{"__metadata__":{"a":"${'x'.repeat(MB)}"}}`), inert()],
  [
    'tensors that overlap',
    file(`{"a":${entry(0, 8)},"b":${entry(4, 12)}}`, 12),
    refused(/overlaps another tensor/),
  ],
  [
    'two tensors on the same bytes',
    file(`{"a":${entry(0, 8)},"b":${entry(0, 8)}}`, 8),
    refused(/overlaps another tensor/),
  ],
  ['a hole', file(`{"a":${entry(0, 4)},"b":${entry(8, 12)}}`, 12), refused(/hole: bytes 4 to 8/)],
  ['bytes after the last', file(one(0, 4), 12), refused(/hole: bytes 4 to 12/)],
  ['out of bounds', file(one(0, 16), 12), refused(/out of bounds/)],
  [
    'offsets of 2^53',
    file(one('9007199254740992', '9007199254740993'), 1),
    refused(/two non-negative integers/),
  ],
  ['offsets backwards', file(one(8, 0, '[8]'), 8), refused(/run backwards/)],
  ['negative offsets', file(one(-8, 0, '[8]'), 8), refused(/two non-negative integers/)],
  [
    'offsets that are texts',
    file('{"w":{"dtype":"U8","shape":[1],"data_offsets":["0","1"]}}', 1),
    refused(/two non-negative integers/),
  ],
  [
    'three offsets',
    file('{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}', 1),
    refused(/two non-negative integers/),
  ],
  ['another size than the shape', file(one(0, 12, '[4]', 'F32'), 12), refused(/takes 16 bytes, but has 12/)],
  ['a shape that overflows', file(one(0, 1, '[4294967296,4294967296]'), 1), refused(/overflows/)],
  ['a shape of 2^53 + 1', file(one(0, 1, '[9007199254740993]'), 1), refused(/non-negative integers/)],
  ['a shape that is a fraction', file(one(0, 1, '[1.5]'), 1), refused(/non-negative integers/)],
  ['a shape that is no list', file(one(0, 1, '1'), 1), refused(/shape is missing or no list/)],
  ['a shape of lists', file(one(0, 1, '[[1]]'), 1), refused(/non-negative integers/)],
  ['a shape of 100,000 ones', file(one(0, 1, `[${Array(100_000).fill(1)}]`), 1), inert()],
  ['a dtype that is not known', file(one(0, 1, '[1]', 'Q4'), 1), refused(/unknown dtype/)],
  ['a dtype of Object', file(one(0, 1, '[1]', 'constructor'), 1), refused(/unknown dtype/)],
  [
    'a dtype that is missing',
    file('{"w":{"shape":[1],"data_offsets":[0,1]}}', 1),
    refused(/dtype is missing/),
  ],
  ['a tensor twice', file(`{"w":${entry(0, 4)},"w":${entry(4, 8)}}`, 8), refused(/duplicate key "w"/)],
  [
    'a tensor twice, in escapes',
    file(`{"w":${entry(0, 4)},"\\u0077":${entry(4, 8)}}`, 8),
    refused(/duplicate key "w"/),
  ],
  ['a field twice', file('{"w":{"dtype":"U8","dtype":"U8"}}'), refused(/duplicate key "dtype"/)],
  ['a tensor __proto__', file(`{"__proto__":${entry(0, 1)}}`, 1), refused(/"__proto__" is not allowed/)],
  ['metadata __proto__', file('{"__metadata__":{"__proto__":"x"}}'), refused(/"__proto__" is not allowed/)],
  ['metadata that is no text', file('{"__metadata__":{"x":{"y":1}}}'), refused(/is no string/)],
  ['metadata that is a list', file('{"__metadata__":[]}'), refused(/is no object/)],
  ['a tensor constructor', file(`{"constructor":${entry(0, 1)}}`, 1), inert()],
  ['a name that takes over a terminal', file(`{"\\u001b]0;x\\u0007":${entry(0, 1)}}`, 1), inert()],
  ['a name of half a pair', file(`{"\\ud800":${entry(0, 1)}}`, 1), refused(/is not allowed/)],
  ['a deep header', file(`{"a":${'['.repeat(MB)}`), refused(/nested levels/)],
  ['a header that is no object', file('{"a":1}'), refused(/described by no object/)],
  ['a header that is cut', file('{"a":{'), refused(/not valid JSON/)],
  ['a header with more behind', file('{}{}'), refused(/unexpected text after the end/)],
  ['a header that is not UTF-8', file(raw('{"\xff":1}')), refused(/not valid UTF-8/)],
  ['a string without an end', file(`{"${'x\\"'.repeat(300_000)}`), refused(/expected a string/)],
  ['spaces for ever', file(`{${' '.repeat(MB)}}`), inert()],
  ...Array.from(
    { length: 10 },
    (_, i): Case => [`changed bytes ${i}`, () => changed(small(), i), unforetold],
  ),
]
