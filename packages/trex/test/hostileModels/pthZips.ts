import { deflateRawSync } from 'node:zlib'
import { type Case, inert, raw, refused, u16, u32, u64 } from './hostileModel.js'
import { dict, saved, tensor, text } from './pickles.js'
import { type Ends, type Member, zipOf } from './zips.js'

const pickle = raw('\x80\x02', dict(text('w'), tensor()), '.')
const storage = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer)
const plain: Member[] = [
  { name: 'a/data.pkl', data: pickle },
  { name: 'a/data/0', data: storage },
]
/** The usual archive, with lies about its pickle, its storage, its end. */
const lied =
  (ofPickle: Partial<Member>, ofStorage: Partial<Member> = {}, ends: Ends = {}) =>
  () =>
    zipOf(
      [
        { ...plain[0]!, ...ofPickle },
        { ...plain[1]!, ...ofStorage },
      ],
      ends,
    )
const good = () => zipOf(plain)
/** A field with 64-bit sizes. */
const wide = (...values: number[]) => raw(u16(1), u16(8 * values.length), ...values.map(u64))
const locator = (at: number) => raw('PK\x06\x07', u32(0), u64(at), u32(1))

/** Archives that contradict themselves. */
export const zips: Case[] = [
  ['as it should be', good, inert()],
  ['cut in the middle', () => good().subarray(0, 150), refused(/no end: the file is cut short/)],
  ['a byte at the end is missing', () => good().subarray(0, -1), refused(/no end: the file is cut short/)],
  ['a byte more at the end', () => raw(good(), 'x'), refused(/no end: the file is cut short/)],
  ['only an end', () => zipOf([]), refused(/0 files data\.pkl/)],
  [
    'a pickle that is compressed',
    lied({ deflated: true }),
    refused(/is compressed, which torch\.save never does/),
  ],
  [
    'a bomb in place of the pickle',
    lied({ data: Buffer.alloc(64 << 20), deflated: true }),
    refused(/is compressed/),
  ],
  [
    'a bomb in place of the storage',
    lied({}, { data: Buffer.alloc(64 << 20), deflated: true }),
    refused(/is compressed/),
  ],
  ['compressed with LZMA', lied({ method: 14 }), refused(/is compressed/)],
  [
    'stored in front, compressed in the directory',
    lied({}, { deflated: true, localMethod: 0 }),
    refused(/another method in front of it/),
  ],
  ['encrypted', lied({ flags: 1 }), refused(/is encrypted/)],
  [
    'two members of one name',
    () => zipOf([...plain, plain[0]!]),
    refused(/two members are called "a\/data\.pkl"/),
  ],
  [
    'two pickles',
    () => zipOf([...plain, { name: 'b/data.pkl', data: pickle }]),
    refused(/2 files data\.pkl/),
  ],
  [
    'a pickle one folder deeper',
    () => zipOf([{ name: 'a/b/data.pkl', data: pickle }]),
    refused(/0 files data\.pkl/),
  ],
  [
    'members that overlap',
    lied({}, { offset: 0, localName: 'a/data/0' }),
    refused(/another name in front of it/),
  ],
  [
    'members on the same bytes',
    () => zipOf([plain[0]!, { ...plain[0]!, name: 'a/data.pk2', offset: 0 }, plain[1]!]),
    refused(/another name in front of it/),
  ],
  [
    'a member inside another one',
    () => {
      const inner = zipOf([plain[1]!])
      const member = inner.subarray(0, 30 + 8 + 16)
      return zipOf([
        { ...plain[0]!, data: pickle },
        { name: 'a/data/1', data: member },
        { ...plain[1]!, offset: (_, begins) => begins[1]! + 30 + 8 },
      ])
    },
    refused(/members "a\/data\/1" and "a\/data\/0" overlap/),
  ],
  ['another name in front', lied({ localName: 'b/data.pkl' }), refused(/another name in front of it/)],
  ['another size in front', lied({}, { localSize: 4 }), refused(/another size in front of it/)],
  ['a size past the end', lied({}, { size: 1e6, packed: 1e6 }), refused(/lies outside of the file/)],
  ['a place past the end', lied({}, { offset: 1e6 }), refused(/lies outside of the file/)],
  ['a place of 2^32 - 2', lied({}, { offset: 0xfffffffe }), refused(/lies outside of the file/)],
  [
    '64-bit sizes that are missing',
    lied({}, { size: 0xffffffff, packed: 0xffffffff }),
    refused(/lacks its 64-bit sizes/),
  ],
  [
    '64-bit sizes of 2^60',
    lied({}, { size: 0xffffffff, packed: 0xffffffff, extra: wide(2 ** 60, 2 ** 60) }),
    refused(/lies outside of the file/),
  ],
  [
    'an extra field that runs out',
    lied({}, { extra: raw(u16(1), u16(0xffff)), size: 0xffffffff, packed: 0xffffffff }),
    refused(/lacks its 64-bit sizes/),
  ],
  [
    'a descriptor that lies',
    lied({}, { flags: 8, after: raw('PK\x07\x08', u32(0), u32(9), u32(9)) }),
    refused(/other sizes after it/),
  ],
  ['more entries than there are', lied({}, {}, { count: 7 }), refused(/entry 2 is cut short/)],
  ['fewer entries than there are', lied({}, {}, { count: 1 }), refused(/bytes are left after its 1 entries/)],
  ['65,535 entries', lied({}, {}, { count: 0xffff }), refused(/65535 entries, which is too many/)],
  [
    'a directory that begins before the file',
    lied({}, {}, { size: 0xfffffff0 }),
    refused(/which is too many|does not lie where its end says/),
  ],
  ['a directory somewhere else', lied({}, {}, { offset: 3 }), refused(/does not lie where its end says/)],
  ['several parts', lied({}, {}, { disk: 2 }), refused(/has several parts/)],
  [
    'bytes between the directory and its end',
    lied({}, {}, { between: Buffer.alloc(9) }),
    refused(/does not lie where its end says/),
  ],
  [
    'bytes before the first member',
    lied({}, {}, { before: '#!/bin/sh\nrm -rf /\n' }),
    refused(/is no file of weights that is known/),
  ],
  [
    'a 64-bit end that is not there',
    lied({}, {}, { between: locator(10) }),
    refused(/64-bit end of the archive does not lie/),
  ],
  [
    'an end in the comment of the end',
    lied({}, {}, { comment: zipOf([]).subarray(-22) }),
    refused(/does not lie where its end says/),
  ],
  ['a name that is not UTF-8', lied({}, { name: raw('a/data/\xff') }), refused(/is not UTF-8/)],
  [
    'names that climb',
    () =>
      zipOf([
        ...plain,
        { name: '../../etc/cron.d/x', data: 'x' },
        { name: '/etc/x', data: 'x' },
        { name: 'a/\0', data: '' },
      ]),
    inert(),
  ],
  [
    '30,000 members',
    () => zipOf([...plain, ...Array.from({ length: 30_000 }, (_, i) => ({ name: `a/${i}`, data: '' }))]),
    inert(),
  ],
  [
    '40,000 members',
    () => zipOf([...plain, ...Array.from({ length: 40_000 }, (_, i) => ({ name: `a/${i}`, data: '' }))]),
    refused(/40002 entries, which is too many/),
  ],
  [
    'a TorchScript program',
    () => zipOf([...plain, { name: 'a/constants.pkl', data: pickle }]),
    refused(/is a TorchScript program/),
  ],
  [
    'big-endian',
    () => saved(dict(text('w'), tensor()), { 0: storage }, { byteorder: 'big' }),
    refused(/two members are called/),
  ],
  [
    'a byte order of a megabyte',
    () => zipOf([...plain, { name: 'a/byteorder', data: Buffer.alloc(1 << 20) }]),
    refused(/byteorder takes 1048576 bytes/),
  ],
  [
    'an archive in its storage',
    () =>
      saved(dict(text('w'), tensor({ kind: 'ByteStorage', elements: raw('\x8a\x08', u64(good().length)) })), {
        0: good(),
      }),
    inert(),
  ],
  [
    'gzip around it',
    () => raw('\x1f\x8b\x08\0\0\0\0\0\0\x03', deflateRawSync(good())),
    refused(/is compressed with gzip/),
  ],
]
