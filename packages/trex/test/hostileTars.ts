import { brotliCompressSync, gzipSync } from 'node:zlib'
import {
  archive,
  base256,
  END,
  GOOD,
  type HeaderFields,
  header,
  longName,
  member,
  padded,
  pax,
  record,
} from './hostileTarsBuild.js'

/** What must come of an archive: an error, or so many good samples, these problems, these other members. */
export type Outcome = { error: RegExp } | { good: number; bad?: RegExp[]; ignored?: Record<string, number> }

/** An archive and what must come of it. */
export interface HostileTar {
  name: string
  bytes: Buffer
  outcome: Outcome
}

/** Where the part that is wrong starts: behind the four good images. */
const HERE = `at byte ${GOOD.length.toLocaleString('en')}$`
const UNUSABLE = { 'member with an unusable name': 1 }

const fails = (name: string, bytes: Buffer, error: string | RegExp): HostileTar => ({
  name,
  bytes,
  outcome: { error: typeof error === 'string' ? new RegExp(error) : error },
})
const works = (name: string, bytes: Buffer, outcome: Outcome): HostileTar => ({ name, bytes, outcome })
/** One member that is not used, and is a sample with a problem. */
const spoils = (name: string, bytes: Buffer, problem: string): HostileTar =>
  works(name, archive(bytes), { good: 4, bad: [new RegExp(problem)] })

const link = (name: string, target: string, type = '2', fields: HeaderFields = {}) =>
  header({ name, type, linkName: target, ...fields })
const latin1 = (text: string) => Buffer.from(text, 'latin1')

const names: HostileTar[] = [
  spoils('.. first', member('../evil.jpg'), "/../evil.jpg is not used: its name has '..' as a part$"),
  spoils('.. inside', member('a/../../evil.jpg'), "its name has '..' as a part$"),
  works('.. last', archive(member('a/evil.jpg/..')), { good: 4, ignored: UNUSABLE }),
  works('.. as a folder', archive(header({ name: '../../', type: '5' })), { good: 4, ignored: UNUSABLE }),
  spoils(
    '.. by PAX',
    Buffer.concat([pax(record('path', '../e.jpg')), member('a/3.jpg')]),
    "has '..' as a part$",
  ),
  spoils(
    '.. by a GNU long name',
    Buffer.concat([longName('../e.jpg'), member('a/3.jpg')]),
    "has '..' as a part$",
  ),
  spoils('.. by the prefix', member('e.jpg', 'x', { prefix: '../../root' }), "has '..' as a part$"),
  spoils('absolute', member('/etc/evil.jpg'), 'its name is absolute$'),
  spoils('two slashes first', member('//host/share/evil.jpg'), 'its name is absolute$'),
  spoils('absolute by the prefix', member('evil.jpg', 'x', { prefix: '/etc' }), 'its name is absolute$'),
  spoils('backslashes', member('..\\..\\evil.jpg'), "its name has a '\\\\'$"),
  spoils('drive letter', member('C:/evil.jpg'), 'its name starts with a drive letter$'),
  spoils('drive letter, relative', member('c:evil.jpg'), 'its name starts with a drive letter$'),
  spoils(
    'not UTF-8',
    member(latin1('a/\xff\xfe.jpg')),
    'a/\\\\xff\\\\xfe.jpg is not used: its name is not UTF-8$',
  ),
  spoils('overlong UTF-8 of a slash', member(latin1('a\xc0\xaf..\xc0\xafx.jpg')), 'its name is not UTF-8$'),
  spoils('a line feed', member('a/x\n.jpg'), 'a/x\\\\x0a.jpg is not used: its name has control characters$'),
  spoils('a terminal escape', member('a/\x1b[2Jx.jpg'), 'a/\\\\x1b\\[2Jx.jpg .* control characters$'),
  spoils(
    'NUL by PAX',
    Buffer.concat([pax(record('path', 'a/x.jpg\0.jpg')), member('a/3.jpg')]),
    'has a NUL byte$',
  ),
  spoils('NUL by a long name', Buffer.concat([longName('a/x\0.jpg'), member('a/3.jpg')]), 'has a NUL byte$'),
  works("NUL ends a header's name", archive(member('a/3.jpg\0/../../evil')), { good: 5 }),
  works('an empty name', archive(member('')), { good: 4, ignored: UNUSABLE }),
  works('a name of dots', archive(member('./.')), { good: 4, ignored: UNUSABLE }),
  works('an empty name by PAX', archive(pax(record('path', '')), member('a/3.jpg')), {
    good: 4,
    ignored: UNUSABLE,
  }),
  works('./ and // are no escape', archive(member('.//a/./3.jpg')), { good: 5 }),
  spoils(
    '100,000 folders deep',
    Buffer.concat([pax(record('path', `${'d/'.repeat(100_000)}x.jpg`)), member('a/3.jpg')]),
    'd/\\.\\.\\.[d/]+x.jpg is not used: its name has 200,005 bytes$',
  ),
  spoils(
    '200 folders deep',
    Buffer.concat([longName(`${'d/'.repeat(200)}x.jpg`), member('a/3.jpg')]),
    'its name has 201 parts$',
  ),
  works('hidden files', archive(member('a/._1.jpg'), member('.b/1.jpg')), {
    good: 4,
    ignored: { hidden: 2 },
  }),
]

const links: HostileTar[] = [
  spoils(
    'symbolic link',
    link('a/3.jpg', '/etc/passwd'),
    'a/3.jpg is not used: it is a symbolic link in the archive$',
  ),
  spoils('hard link', link('a/3.jpg', '/etc/passwd', '1'), 'it is a hard link in the archive$'),
  spoils('link to itself', link('a/3.jpg', 'a/3.jpg'), 'it is a symbolic link in the archive$'),
  works('link of a folder', archive(link('c', '/tmp')), { good: 4, ignored: { link: 1 } }),
  works('link, then a file through it', archive(link('a/sub', '../..'), member('a/sub/evil.jpg')), {
    good: 4,
    bad: [/evil.jpg is not used: it lies below a\/sub, which is a link$/],
    ignored: { link: 1 },
  }),
  spoils('a file through a file', member('a/1.jpg/evil.jpg'), 'it lies below a/1.jpg, which is no folder$'),
  fails(
    'link, then a file of its name',
    archive(link('a/3.jpg', '/tmp/x'), member('a/3.jpg')),
    'called a/3.jpg that differ',
  ),
  fails('file, then a link of its name', archive(link('a/1.jpg', '/tmp/x')), 'called a/1.jpg that differ'),
  spoils('character device', header({ name: 'a/3.jpg', type: '3' }), 'it is a device in the archive$'),
  spoils('block device', header({ name: 'a/3.jpg', type: '4' }), 'it is a device in the archive$'),
  spoils('FIFO', header({ name: 'a/3.jpg', type: '6' }), 'it is a FIFO in the archive$'),
  spoils(
    'unknown kind',
    member('a/3.jpg', 'x', { type: 'Z' }),
    'it is of the unknown kind "Z" in the archive$',
  ),
  works('contiguous file', archive(member('a/3.jpg', 'x', { type: '7' })), { good: 5 }),
  works('long name of a link target', archive(longName('t'.repeat(300), 'K'), link('a/l', 't')), {
    good: 4,
    ignored: { link: 1 },
  }),
]

const sizes: HostileTar[] = [
  fails(
    'size larger than the file',
    archive(header({ name: 'a/3.jpg', size: 1e9 })),
    'a/3.jpg has 1,000,000,000 bytes by its header, but the archive ends at byte',
  ),
  fails(
    'size smaller than the data',
    archive(header({ name: 'a/3.jpg', size: 5 }), padded('x'.repeat(600))),
    'a header whose checksum is wrong at byte',
  ),
  fails(
    'size 0 before data',
    archive(header({ name: 'a/3.jpg', size: 0 }), padded('data')),
    'checksum is wrong at byte',
  ),
  fails(
    'negative base 256',
    archive(member('a/3.jpg', 'x', { size: Buffer.alloc(12, 0xff) })),
    `a header with a negative size ${HERE}`,
  ),
  fails(
    'huge base 256',
    archive(member('a/3.jpg', 'x', { size: base256(2n ** 60n) })),
    `a size of more than 2\\^53 bytes ${HERE}`,
  ),
  fails(
    'largest base 256',
    archive(member('a/3.jpg', 'x', { size: base256(2n ** 94n - 1n) })),
    `a size of more than 2\\^53 bytes ${HERE}`,
  ),
  fails(
    '2^53 - 1 bytes',
    archive(member('a/3.jpg', 'x', { size: base256(2n ** 53n - 1n) })),
    `a/3.jpg with an absurd size ${HERE}`,
  ),
  works('small base 256', archive(member('a/3.jpg', 'pixels', { size: base256(6n) })), { good: 5 }),
  fails(
    'negative octal',
    archive(member('a/3.jpg', 'x', { size: '-0000000005\0' })),
    `size is no number ${HERE}`,
  ),
  fails(
    'letters as a size',
    archive(member('a/3.jpg', 'x', { size: 'deadbeefcafe' })),
    `size is no number ${HERE}`,
  ),
  works('spaces around a size', archive(member('a/3.jpg', 'pixels', { size: '         6 \0' })), { good: 5 }),
  works('12 octal digits', archive(member('a/3.jpg', 'pixels', { size: '000000000006' })), { good: 5 }),
  fails(
    'link with data',
    archive(link('a/l', 'x', '2', { size: 512 }), padded('x')),
    `a/l, which is no file, with 512 bytes of data ${HERE}`,
  ),
  fails(
    'folder with data',
    archive(header({ name: 'c/', type: '5', size: 9 }), padded('x')),
    `c, which is no file, with 9 bytes of data ${HERE}`,
  ),
]

const metadata: HostileTar[] = [
  works(
    'PAX renames and resizes',
    archive(
      pax(Buffer.concat([record('path', 'b/3.jpg'), record('size', '6')])),
      member('a/3.jpg', 'pixels', { size: 0 }),
    ),
    { good: 5 },
  ),
  fails(
    'PAX size beyond the end',
    archive(pax(record('size', '99999999')), member('a/3.jpg')),
    'a/3.jpg has 99,999,999 bytes by its header, but the archive ends',
  ),
  fails(
    'PAX size smaller than the data',
    archive(pax(record('size', '1')), member('a/3.jpg', 'x'.repeat(600))),
    'checksum is wrong',
  ),
  fails(
    'PAX size negative',
    archive(pax(record('size', '-1')), member('a/3.jpg')),
    'extended header whose size is no number of bytes',
  ),
  fails(
    'PAX size as 1e3',
    archive(pax(record('size', '1e3')), member('a/3.jpg')),
    'size is no number of bytes',
  ),
  fails(
    'PAX size of 2^64',
    archive(pax(record('size', '18446744073709551616')), member('a/3.jpg')),
    'size is no number of bytes',
  ),
  fails(
    'PAX record too long',
    archive(pax('999 path=x.jpg\n'), member('a/3.jpg')),
    `a record of a wrong length ${HERE}`,
  ),
  fails(
    'PAX record too short',
    archive(pax('5 path=x.jpg\n'), member('a/3.jpg')),
    `a record of a wrong length ${HERE}`,
  ),
  fails(
    'PAX record of length 0',
    archive(pax('0 path=x.jpg\n'), member('a/3.jpg')),
    `does not start with its length ${HERE}`,
  ),
  fails(
    'PAX record of a negative length',
    archive(pax('-9 a=b\n'), member('a/3.jpg')),
    `does not start with its length ${HERE}`,
  ),
  fails(
    'PAX record without a line feed',
    archive(pax('9 path=xx'), member('a/3.jpg')),
    `a record of a wrong length ${HERE}`,
  ),
  fails(
    'PAX record without =',
    archive(pax('7 path\n'), member('a/3.jpg')),
    `a record of a wrong length ${HERE}`,
  ),
  fails(
    'PAX without a length',
    archive(pax('path=x.jpg\n'), member('a/3.jpg')),
    `does not start with its length ${HERE}`,
  ),
  fails(
    'two PAX headers',
    archive(pax(record('path', 'a/3.jpg')), pax(record('path', 'a/4.jpg')), member('a/5.jpg')),
    'two extended headers for one member at byte',
  ),
  fails(
    'two long names',
    archive(longName('a/3.jpg'), longName('a/4.jpg'), member('a/5.jpg')),
    'two long names for one member at byte',
  ),
  fails(
    'PAX before the end',
    archive(pax(record('path', 'a/3.jpg'))),
    'the end follows an extended header at byte',
  ),
  fails(
    'long name before the end',
    archive(longName('a/3.jpg')),
    'the end follows an extended header at byte',
  ),
  fails(
    'global path',
    archive(pax(record('path', 'a/x.jpg'), 'g'), member('a/3.jpg')),
    `a global header that sets the path of all members ${HERE}`,
  ),
  fails(
    'global size',
    archive(pax(record('size', '1'), 'g'), member('a/3.jpg')),
    `sets the size of all members ${HERE}`,
  ),
  works('global comment', archive(pax(record('comment', 'commit 1234'), 'g'), member('a/3.jpg')), {
    good: 5,
  }),
  fails(
    'extended header of 1 GiB',
    archive(header({ name: 'x', type: 'x', size: 2 ** 30 })),
    `an extended header of more than 1 MiB ${HERE}`,
  ),
  fails(
    'long name of 8 GiB',
    archive(header({ name: 'x', type: 'L', size: 2 ** 33 - 1 })),
    `an extended header of more than 1 MiB ${HERE}`,
  ),
  works(
    'a thousand keys',
    archive(
      pax(Buffer.concat(Array.from({ length: 1000 }, (_, i) => record(`k${i}`, 'v'.repeat(900))))),
      member('a/3.jpg'),
    ),
    { good: 5 },
  ),
  works(
    'many global headers',
    archive(...Array.from({ length: 5000 }, () => pax(record('comment', 'x'), 'g'))),
    { good: 4 },
  ),
  spoils(
    'sparse, old GNU',
    member('a/3.jpg', 'x', { type: 'S', magic: 'ustar  \0' }),
    'it is a sparse file in the archive$',
  ),
  spoils(
    'sparse, old GNU, a longer map',
    Buffer.concat([
      header({ name: 'a/3.jpg', size: 6, type: 'S', magic: 'ustar  \0', patch: [[482, '\x01']] }),
      Buffer.alloc(512).fill(1, 504, 505),
      Buffer.alloc(512),
      padded('pixels'),
    ]),
    'it is a sparse file in the archive$',
  ),
  fails(
    'sparse, a map without end',
    Buffer.concat([
      GOOD,
      header({ name: 'a/3.jpg', type: 'S', patch: [[482, '\x01']] }),
      Buffer.alloc(5120, 1),
    ]),
    'it ends inside the map of a sparse member',
  ),
  spoils(
    'sparse, PAX 0.0',
    Buffer.concat([
      pax(Buffer.concat([record('GNU.sparse.size', '9'), record('GNU.sparse.numblocks', '0')])),
      member('a/3.jpg'),
    ]),
    'it is a sparse file in the archive$',
  ),
  spoils(
    'sparse, PAX 1.0',
    Buffer.concat([
      pax(
        Buffer.concat([
          record('GNU.sparse.major', '1'),
          record('GNU.sparse.name', 'a/big.jpg'),
          record('GNU.sparse.realsize', '99999999999'),
        ]),
      ),
      member('GNUSparseFile.1/3.jpg', '1\n0\n6\n'),
    ]),
    'a/big.jpg is not used: it is a sparse file in the archive$',
  ),
  fails(
    'sparse, global',
    archive(pax(record('GNU.sparse.major', '1'), 'g')),
    'sets the GNU.sparse.major of all members',
  ),
]

const structure: HostileTar[] = [
  fails('cut in the first header', GOOD.subarray(0, 300), 'is not a tar archive: it looks like'),
  fails(
    'cut after a header',
    GOOD.subarray(0, 512),
    'a/1.jpg has 8 bytes by its header, but the archive ends at byte 512$',
  ),
  fails(
    'cut in the data',
    GOOD.subarray(0, 515),
    'a/1.jpg has 8 bytes by its header, but the archive ends at byte 515$',
  ),
  fails(
    'cut in the padding',
    GOOD.subarray(0, 700),
    "it ends after a/1.jpg without the mark of an archive's end at byte 700$",
  ),
  fails(
    'cut between members',
    GOOD.subarray(0, 1024),
    "it ends after a/1.jpg without the mark of an archive's end at byte 1,024$",
  ),
  fails('cut in a later header', GOOD.subarray(0, 1100), 'it ends inside a header at byte 1,100$'),
  fails(
    'cut in an extended header',
    Buffer.concat([GOOD, pax(record('path', 'x'.repeat(700))).subarray(0, 900)]),
    'it ends inside an extended header at byte',
  ),
  fails(
    'cut after an extended header',
    Buffer.concat([GOOD, pax(record('path', 'a/3.jpg'))]),
    "without the mark of an archive's end at byte",
  ),
  fails('no end at all', GOOD, "without the mark of an archive's end"),
  works('one block of zeros as the end', Buffer.concat([GOOD, Buffer.alloc(512)]), { good: 4 }),
  works('zeros behind the end', archive(Buffer.alloc(0), END, Buffer.alloc(100_000)), { good: 4 }),
  fails(
    'text behind the end',
    Buffer.concat([archive(), Buffer.from('garbage')]),
    'there is more after the mark of its end, at byte 5,120$',
  ),
  fails(
    'two archives',
    Buffer.concat([archive(), archive()]),
    'there is more after the mark of its end, at byte',
  ),
  fails(
    '17 MiB of zeros behind the end',
    Buffer.concat([archive(), Buffer.alloc(17 * 2 ** 20 + 512)]),
    'there is more after the mark of its end, at byte',
  ),
  fails(
    'checksum wrong by one',
    archive(member('a/3.jpg', 'x', { checksum: 'wrong' })),
    `a header whose checksum is wrong ${HERE}`,
  ),
  fails(
    'checksum of spaces',
    archive(member('a/3.jpg', 'x', { checksum: 'spaces' })),
    `a header whose checksum is wrong ${HERE}`,
  ),
  fails(
    'checksum of letters',
    archive(member('a/3.jpg', 'x', { checksum: 'letters' })),
    `a header whose checksum is wrong ${HERE}`,
  ),
  fails(
    'first checksum wrong',
    Buffer.concat([member('a/0.jpg', 'x', { checksum: 'wrong' }), archive()]),
    'a header whose checksum is wrong at byte 0$',
  ),
  works('signed checksum', archive(member('a/é.jpg', 'x', { checksum: 'signed' })), { good: 5 }),
  works('old archive without a mark', archive(member('a/3.jpg', 'x', { magic: '', type: '\0' })), {
    good: 5,
  }),
  works('old archive: a folder by its slash', archive(header({ name: 'a/sub/', magic: '', type: '\0' })), {
    good: 4,
  }),
  fails(
    'twice, different',
    archive(member('a/1.jpg', 'image XX')),
    'has two members called a/1.jpg that differ, at bytes 512 and',
  ),
  fails(
    'twice, of other sizes',
    archive(member('a/1.jpg', 'longer than that')),
    'two members called a/1.jpg that differ',
  ),
  fails(
    'twice, by another spelling',
    archive(member('./a//1.jpg', 'image XX')),
    'two members called a/1.jpg that differ',
  ),
  works('twice the same', archive(member('a/1.jpg', 'image a1')), {
    good: 4,
    ignored: { 'repeated member': 1 },
  }),
  works('names that differ in case', archive(member('a/1.JPG', 'other')), { good: 5 }),
  works(
    '20,000 folders',
    archive(...Array.from({ length: 20_000 }, (_, i) => header({ name: `a/${i}/`, type: '5' }))),
    { good: 4 },
  ),
]

const others: HostileTar[] = [
  fails('empty file', Buffer.alloc(0), 'is not a tar archive: it looks like an empty file$'),
  fails('nothing but the end', END, 'there are no images in'),
  fails('a few zeros', Buffer.alloc(100), 'is not a tar archive: it looks like nothing but zero bytes$'),
  fails(
    'a JPEG',
    Buffer.concat([latin1('\xff\xd8\xff\xe0\0\x10JFIF'), Buffer.alloc(2000, 7)]),
    'is not a tar archive: it looks like a JPEG image$',
  ),
  fails(
    'a web page',
    Buffer.from(`<!doctype html><title>404</title>${' '.repeat(2000)}`),
    'it looks like an HTML page$',
  ),
  fails(
    'a git-LFS pointer',
    Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 12\n'),
    'it looks like a git-LFS pointer$',
  ),
  fails(
    'a zip',
    Buffer.concat([latin1('PK\x03\x04'), Buffer.alloc(2000, 7)]),
    'it looks like a ZIP archive$',
  ),
  fails(
    'noise',
    Buffer.from(brotliCompressSync(Buffer.from(Array.from({ length: 4000 }, (_, i) => (i * i * 7919) >> 5)))),
    'is not a tar archive',
  ),
  fails('.tar.gz', gzipSync(archive()), 'is compressed \\(gzip\\): its members cannot be read one by one$'),
  fails(
    '.tar.zst',
    Buffer.concat([latin1('\x28\xb5\x2f\xfd'), Buffer.alloc(2000, 7)]),
    'is compressed \\(zstd\\)',
  ),
  fails('.tar.xz', Buffer.concat([latin1('\xfd7zXZ\0'), Buffer.alloc(2000, 7)]), 'is compressed \\(xz\\)'),
  fails(
    '.tar.bz2',
    Buffer.concat([latin1('BZh91AY&SY'), Buffer.alloc(2000, 7)]),
    'is compressed \\(bzip2\\)',
  ),
]

/** Archives that are hostile, damaged or odd. */
export const hostileTars: readonly HostileTar[] = [
  ...names,
  ...links,
  ...sizes,
  ...metadata,
  ...structure,
  ...others,
]
