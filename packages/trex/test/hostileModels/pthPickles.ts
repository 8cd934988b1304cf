import { type Case, harmless, inert, raw, refused, u32, u64 } from './hostileModel.js'
import {
  dict,
  encoderPickle,
  float,
  legacy,
  long,
  RESNET18,
  RESNET50,
  saved,
  tensor,
  text,
  times,
} from './pickles.js'

const within = (value: Uint8Array | string) => dict(text('w'), value)
const MB = 1 << 20
const FILLS = /takes? more memory than those of checkpoints|more than 8192 keys|has more than \d+ steps/

/** Pickles that lie about tensors. */
export const tensors: Case[] = [
  [
    'an offset past the storage',
    () => saved(within(tensor({ offset: long(2) }))),
    refused(/reaches to element 5 of a storage of 4/),
  ],
  ['a negative offset', () => saved(within(tensor({ offset: long(-1) }))), refused(/no counts/)],
  ['a negative stride', () => saved(within(tensor({ strides: [long(-1)] }))), refused(/no counts/)],
  [
    'sizes whose product overflows',
    () => saved(within(tensor({ shape: [long(2n ** 62n), long(2n ** 62n)], strides: [long(0), long(0)] }))),
    refused(/no counts/),
  ],
  [
    'sizes whose product is above 2^53',
    () => saved(within(tensor({ shape: [long(2 ** 50), long(2 ** 50)], strides: [long(0), long(0)] }))),
    refused(/a tensor of 4 stored elements/),
  ],
  [
    'a terabyte of one element',
    () => saved(within(tensor({ shape: [long(2 ** 40)], strides: [long(0)] }))),
    refused(/a tensor of 4 stored elements/),
  ],
  [
    'a stride that reaches out',
    () => saved(within(tensor({ strides: [long(2 ** 52)] }))),
    refused(/reaches to element/),
  ],
  ['more sizes than strides', () => saved(within(tensor({ strides: [] }))), refused(/1 sizes and 0 strides/)],
  [
    '65 dimensions',
    () => saved(within(tensor({ shape: Array(65).fill(long(1)), strides: Array(65).fill(long(0)) }))),
    refused(/65 sizes/),
  ],
  ['a size that is a fraction', () => saved(within(tensor({ shape: [float(1.5)] }))), refused(/no counts/)],
  ['a size that is NaN', () => saved(within(tensor({ shape: [float(Number.NaN)] }))), refused(/no counts/)],
  ['a size that is True', () => saved(within(tensor({ shape: ['\x88'] }))), refused(/no counts/)],
  ['a size that is a text', () => saved(within(tensor({ shape: [text('4')] }))), refused(/no counts/)],
  [
    'a storage that is not there',
    () => saved(within(tensor({ key: text('1') }))),
    refused(/there is no storage "1"/),
  ],
  [
    'a storage outside of the archive',
    () => saved(within(tensor({ key: text('../../../etc/passwd') }))),
    refused(/there is no storage/),
  ],
  [
    'a storage called __proto__',
    () => saved(within(tensor({ key: text('__proto__') }))),
    refused(/there is no storage "__proto__"/),
  ],
  [
    'a storage whose key is a number',
    () => saved(within(tensor({ key: long(0) }))),
    refused(/that of no storage/),
  ],
  [
    'a storage that is shorter than it says',
    () => saved(within(tensor({ elements: long(400) }))),
    refused(/has 16 bytes, not 400 elements/),
  ],
  [
    'a storage of 2^61 elements',
    () => saved(within(tensor({ elements: long(2n ** 61n) }))),
    refused(/that of no storage/),
  ],
  [
    'a storage of -4 elements',
    () => saved(within(tensor({ elements: long(-4) }))),
    refused(/that of no storage/),
  ],
  ['a storage of another tag', () => saved(within(tensor({ tag: 'file' }))), refused(/that of no storage/)],
  ['a storage of complex numbers', () => saved(within(tensor({ kind: 'ComplexFloatStorage' }))), inert()],
  ['a storage of __proto__', () => saved(within(tensor({ kind: '__proto__' }))), inert()],
  [
    'one storage as two types',
    () => saved(dict(text('a'), tensor(), text('b'), tensor({ kind: 'DoubleStorage' }))),
    refused(/has 16 bytes, not 4 elements of F64/),
  ],
  [
    'a storage described in two ways, in an old file',
    () => legacy(dict(text('a'), tensor(), text('b'), tensor({ elements: long(5) }))),
    refused(/is described in two ways/),
  ],
  [
    '10,000 tensors of 64 MiB each, of one element',
    () =>
      saved(
        dict(
          ...Array.from({ length: 2000 }, (_, i) =>
            raw(text(`t${i}`), tensor({ shape: [long(2 ** 24)], strides: [long(0)] })),
          ),
        ),
      ),
    inert(),
  ],
  ['an encoder of repeated elements', () => saved(encoderPickle(RESNET18)), harmless],
  [
    'an encoder of repeated elements that would take 90 MB',
    () => saved(encoderPickle(RESNET50)),
    { inspect: 'reads', imported: /but its encoder would take/ },
  ],
]

/** Pickles that are meant to keep a reader busy, to fill memory, or to break it. */
export const structures: Case[] = [
  ['a list that holds itself', () => saved(raw(']q\0h\0a')), refused(/a value holds itself/)],
  ['a dict that holds itself', () => saved(raw('}q\0', text('w'), 'h\0s')), refused(/a value holds itself/)],
  ['300 levels', () => saved(raw(']', '\x85'.repeat(300))), refused(/nested more than 200 deep/)],
  ['a million levels', () => saved(raw(']', '\x85'.repeat(MB))), refused(/nested more than 200 deep|memory/)],
  ['a billion laughs', () => saved(raw(']', '2\x86'.repeat(60))), inert()],
  ['nothing but marks', () => saved('('.repeat(4 * MB)), refused(FILLS)],
  ['nothing but None', () => saved('N'.repeat(4 * MB)), refused(FILLS)],
  ['empty lists', () => saved(raw('](', ']'.repeat(2 * MB), 'e')), refused(FILLS)],
  ['empty dicts', () => saved(raw('](', '}'.repeat(2 * MB), 'e')), refused(FILLS)],
  ['DUP for ever', () => saved(raw('N', '2'.repeat(4 * MB))), refused(FILLS)],
  ['POP and None in turns', () => saved(raw('N0'.repeat(8 * MB), 'N')), refused(FILLS)],
  ['the same memo again', () => saved(raw('N', 'q\0'.repeat(2 * MB))), refused(FILLS)],
  [
    'memos far apart',
    () =>
      saved(
        raw(
          'N',
          times(100_000, (i) => raw('r', u32(i << 12))),
        ),
      ),
    refused(/out of order/),
  ],
  ['a memo that is empty', () => saved('h\x07'), refused(/memo 7 is empty/)],
  ['a text of 4 GB', () => saved('X\xff\xff\xff\xff'), refused(/cut short/)],
  ['a text of 2^63 bytes', () => saved(raw('\x8d', u64(2n ** 63n))), refused(/cut short/)],
  ['a frame of 2^64 bytes', () => saved(raw('\x95', u64(2n ** 64n - 1n), 'N')), inert()],
  ['an integer of 2 GB', () => saved('\x8b\xff\xff\xff\x7f'), refused(/an integer takes/)],
  [
    'digits without end',
    () => saved(`L${'9'.repeat(100_000)}\n`),
    refused(/a line has no end|not written in digits/),
  ],
  ['a text that is not UTF-8', () => saved(within('X\x02\0\0\0\xff\xfe')), inert()],
  ['a key twice', () => saved(dict(text('w'), 'K\x01', text('w'), 'K\x02')), inert()],
  ['a tensor twice under one name', () => saved(dict(text('w'), tensor(), text('w'), tensor())), inert()],
  [
    'keys of Object.prototype',
    () =>
      saved(
        dict(
          text('__proto__'),
          dict(text('polluted'), '\x88'),
          text('constructor'),
          tensor(),
          text('toString'),
          'N',
        ),
      ),
    inert(),
  ],
  [
    'a state dict under __proto__',
    () => saved(dict(text('__proto__'), dict(text('__proto__'), tensor()))),
    inert(),
  ],
  ['a list as a key', () => saved(raw('}](', 'e', tensor(), 's')), inert()],
  [
    'colliding keys',
    () => saved(dict(times(50_000, (i) => raw(float(2 ** 40 * (i + 1)), 'N')))),
    refused(FILLS),
  ],
  ['a name that takes over a terminal', () => saved(dict(text('\u001b]0;x\u0007\u202e'), tensor())), inert()],
  ['a name of a megabyte', () => saved(dict(text('x.'.repeat(MB / 2)), tensor())), inert()],
  ['an odd number of items', () => saved(raw('}(', text('w'), 'u')), refused(/a key without a value/)],
  ['an empty stack', () => saved('R'), refused(/the stack is empty/)],
  ['no mark', () => saved('t'), refused(/there is no mark/)],
  ['a pickle of protocol 9', () => saved('\x80\x09N'), refused(/protocol above 5/)],
  ['nothing in the pickle', () => saved(''), refused(/the stack is empty/)],
  ['a state for a number', () => saved(raw('K\x01}b')), refused(/given to what has none/)],
  [
    '100,000 small dicts with a tensor',
    () => saved(dict(times(20_000, (i) => raw(text(`${i}`), dict(text('w'), tensor()))))),
    { inspect: /memory/, imported: /memory/ },
  ],
  [
    'an old file of another version',
    () => legacy(within(tensor()), { version: 1002 }),
    refused(/a version that is not known/),
  ],
  [
    'an old file of another magic',
    () => legacy(within(tensor()), { magic: Buffer.from('8002 4b01 2e'.replaceAll(' ', ''), 'hex') }),
    refused(/not one of torch\.save/),
  ],
  [
    'an old file in big-endian',
    () => legacy(within(tensor()), { little: '\x89' }),
    refused(/another byte order/),
  ],
  [
    'an old file whose storage has another length',
    () => legacy(within(tensor()), { tail: raw(u64(2 ** 40), Buffer.alloc(16)) }),
    refused(/has 1099511627776 elements, not 4/),
  ],
  ['an old file without its storage', () => legacy(within(tensor()), { tail: '' }), refused(/cut short/)],
  [
    'an old file whose keys lack a storage',
    () => legacy(within(tensor()), { keys: raw(']') }),
    refused(/storage "0" is missing/),
  ],
  [
    'an old file whose keys are nested',
    () => legacy(within(tensor()), { keys: raw('('.repeat(20_000), 'l'.repeat(20_000)) }),
    refused(/is not one that the tensors need/),
  ],
  ['an old file, as it should be', () => legacy(within(tensor())), inert()],
]
