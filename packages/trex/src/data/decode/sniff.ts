/** The image formats that are decoded. */
export type ImageFormat = 'JPEG' | 'PNG' | 'GIF' | 'WebP' | 'TIFF' | 'AVIF'

/** What the first bytes of a file say it is. */
export interface Content {
  /** The format, if it is one that is decoded. */
  format: ImageFormat | null
  /** The content in words, with an article: "a JPEG image", "an HTML page". */
  looksLike: string
  /** What to do about content that is not decoded. */
  hint?: string
}

type Test = (start: string) => boolean

const starts =
  (...prefixes: string[]): Test =>
  (start) =>
    prefixes.some((prefix) => start.startsWith(prefix))

/**
 * An ISO base media file of one of these major brands. Its first byte, of a size, is 0; were it text, libvips would take
 * a file that goes on with "<svg" for a drawing.
 */
const brand =
  (...brands: string[]): Test =>
  (start) =>
    start[0] === '\0' && start.slice(4, 8) === 'ftyp' && brands.some((name) => start.startsWith(name, 8))

const matches =
  (pattern: RegExp): Test =>
  (start) =>
    pattern.test(start)

const CONVERT = 'convert it to PNG or JPEG, or remove it'
const FRAMES = 'remove it, or extract frames from it'
const FETCH = 'fetch it again, or remove it'

const FORMATS: readonly [ImageFormat, looksLike: string, Test][] = [
  ['JPEG', 'a JPEG image', starts('\xff\xd8\xff')],
  ['PNG', 'a PNG image', starts('\x89PNG\r\n\x1a\n')],
  ['GIF', 'a GIF image', starts('GIF87a', 'GIF89a')],
  ['WebP', 'a WebP image', (start) => start.startsWith('RIFF') && start.startsWith('WEBP', 8)],
  ['TIFF', 'a TIFF image', starts('II*\0', 'MM\0*', 'II+\0', 'MM\0+')],
  ['AVIF', 'an AVIF image', brand('avif', 'avis')],
  ['AVIF', 'an AVIF image', (start) => brand('mif1')(start) && start.slice(16, 64).includes('avif')],
]

const REFUSED: readonly [looksLike: string, hint: string, Test][] = [
  ['a HEIF (HEIC) image', CONVERT, brand('hei', 'hev', 'mif1', 'msf1')],
  ['a video (MP4 or QuickTime)', FRAMES, brand('')],
  ['a video (Matroska or WebM)', FRAMES, starts('\x1a\x45\xdf\xa3')],
  ['a video (AVI)', FRAMES, (start) => start.startsWith('RIFF') && start.startsWith('AVI ', 8)],
  ['a video (MPEG)', FRAMES, starts('\0\0\x01\xba', '\0\0\x01\xb3')],
  ['a BMP image', CONVERT, (start) => start.startsWith('BM') && start.startsWith('\0\0\0\0', 6)],
  ['a JPEG XL image', CONVERT, starts('\xff\x0a', '\0\0\0\x0cJXL ')],
  ['a JPEG 2000 image', CONVERT, starts('\0\0\0\x0cjP  ', '\xff\x4f\xff\x51')],
  ['a Photoshop file', CONVERT, starts('8BPS')],
  ['an icon file', CONVERT, starts('\0\0\x01\0', '\0\0\x02\0')],
  ['a PDF document', CONVERT, starts('%PDF-')],
  ['a PostScript file', CONVERT, starts('%!PS')],
  ['a ZIP archive', 'unpack it', starts('PK\x03\x04', 'PK\x05\x06')],
  ['a gzip file', 'unpack it', starts('\x1f\x8b')],
  [
    'a git-LFS pointer',
    'fetch the real files with: git lfs pull',
    starts('version https://git-lfs.github.com/'),
  ],
  ['an HTML page', FETCH, matches(/^\s*(<!doctype html|<html|<head|<body)/i)],
  ['an SVG drawing', CONVERT, matches(/^\s*<(svg|(\?xml|!--|!doctype svg).*<svg)[\s>]/is)],
  ['an XML document', FETCH, matches(/^\s*<\?xml/)],
  ['a JSON document', FETCH, matches(/^\s*[{[]\s*["{[\]}\d]/)],
  ['nothing but zero bytes', FETCH, (start) => start.replaceAll('\0', '') === ''],
  ['text', FETCH, (start) => [...start].every((c) => c >= ' ' || '\t\n\f\r\x1b'.includes(c))],
]

/** Says by its first bytes what a file holds; the name plays no part. */
export function sniffContent(bytes: Uint8Array): Content {
  if (bytes.length === 0) return { format: null, looksLike: 'an empty file', hint: FETCH }
  const start = Buffer.from(bytes.subarray(0, 2048))
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '') // a byte-order mark
  const decoded = FORMATS.find(([, , test]) => test(start))
  if (decoded) return { format: decoded[0], looksLike: decoded[1] }
  const refused = REFUSED.find(([, , test]) => test(start))
  if (refused) return { format: null, looksLike: refused[0], hint: refused[1] }
  return { format: null, looksLike: 'data of an unknown kind', hint: FETCH }
}
