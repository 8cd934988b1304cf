import type { ClassCount, Contents, DatasetReport, Duplicates, ImageRecord, Spread } from './datasetReport.js'
import { printable } from './printable.js'

const SHOWN = 20
const BAR = 24

/** A report as text for a terminal: facts, classes with bars, then what is wrong, the first 20 of each kind. */
export function formatReport(report: DatasetReport, source: string): string {
  const { images, classes, smallestClass, largestClass, unreadable, ignored, contents, duplicates } = report
  const facts: [string, string][] = [
    ['source', source],
    [
      'images',
      `${number(images.train + images.val)}: ${number(images.train)} train, ${number(images.val)} val`,
    ],
    ['classes', `${number(classes.length)}${range(smallestClass, largestClass)}`],
    ...(contents ? factsOf(contents) : []),
    ['ignored', counts(ignored, (kind) => kind || 'without extension') || 'nothing'],
    ['unreadable', unreadable.length === 0 ? 'none' : number(unreadable.length)],
    [
      'duplicates',
      duplicates ? summary(duplicates) : 'not looked for: only the first bytes of each image were read',
    ],
  ]
  const width = Math.max(...facts.map(([name]) => name.length))
  return [
    ...facts.map(([name, text]) => `${name.padEnd(width)}  ${text}`),
    ...section('classes', classLines(classes)),
    ...section(`unreadable (${number(unreadable.length)})`, [
      ...unreadable.slice(0, SHOWN).map(({ message }) => `  ${printable(message)}`),
      ...more(unreadable.length),
    ]),
    ...(duplicates ? duplicateLines(duplicates) : []),
    '',
    report.ok ? 'ok' : verdict(report),
  ].join('\n')
}

function factsOf({ bytes, formats, colors, width, height, smallerThan32 }: Contents): [string, string][] {
  const small = smallerThan32 > 0 ? `; ${number(smallerThan32)} with a side below 32` : ''
  const size = width && height ? `width ${spread(width)}, height ${spread(height)} pixels${small}` : 'none'
  return [
    ['formats', counts(formats) || 'none'],
    ['colours', counts(colors) || 'none'],
    ['sizes', size],
    ['bytes', megabytes(bytes)],
  ]
}

const number = (value: number) => value.toLocaleString('en')
const megabytes = (bytes: number) =>
  bytes < 1e5
    ? `${number(bytes)} B`
    : `${(bytes / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} MB`
const spread = ({ min, median, max }: Spread) =>
  min === max ? number(min) : `${number(min)} to ${number(max)} (median ${number(median)})`
const sizeOf = ({ train, val }: ClassCount) => train + val

function range(smallest: ClassCount | null, largest: ClassCount | null): string {
  if (!smallest || !largest) return ''
  if (sizeOf(smallest) === sizeOf(largest)) return ` of ${number(sizeOf(largest))} images`
  const one = (found: ClassCount) => `${printable(found.name)} with ${number(sizeOf(found))}`
  return `: the smallest is ${one(smallest)}, the largest ${one(largest)} images`
}

function counts(record: Readonly<Record<string, number>>, name = (kind: string) => kind): string {
  return Object.entries(record)
    .sort(([, a], [, b]) => b - a)
    .map(([kind, times]) => `${number(times)} ${printable(name(kind))}`)
    .join(', ')
}

function summary({ acrossSplits, withinSplit, differentLabels, groups }: Duplicates): string {
  if (groups.length === 0) return 'none'
  const labels = differentLabels > 0 ? `; ${number(differentLabels)} have different labels` : ''
  return `groups of equal images: ${number(acrossSplits)} across train and val, ${number(withinSplit)} within one of them${labels}`
}

/** A class a line, with a bar; of many classes the largest and the smallest. */
function classLines(classes: readonly ClassCount[]): string[] {
  const bySize = [...classes].sort((a, b) => sizeOf(b) - sizeOf(a))
  const hidden = classes.length - SHOWN
  const shown = hidden > 0 ? [...bySize.slice(0, SHOWN / 2), ...bySize.slice(-SHOWN / 2)] : bySize
  const name = ({ name }: ClassCount) => cut(printable(name), 32)
  const width = Math.max(...shown.map((one) => name(one).length))
  const digits = Math.max(...shown.map((one) => number(sizeOf(one)).length))
  const most = Math.max(1, sizeOf(bySize[0]!))
  const lines = shown.map((one) => {
    const bar = '█'.repeat(Math.ceil((BAR * sizeOf(one)) / most))
    return `  ${name(one).padEnd(width)}  ${number(sizeOf(one)).padStart(digits)}  ${bar}`.trimEnd()
  })
  if (hidden > 0) lines.splice(SHOWN / 2, 0, `  ... ${number(hidden)} between`)
  return lines
}

function duplicateLines({ groups }: Duplicates): string[] {
  const lines = groups.slice(0, SHOWN).map(({ acrossSplits, differentLabels, images }) => {
    const kinds = [
      acrossSplits ? 'across splits' : 'within a split',
      ...(differentLabels ? ['different labels'] : []),
    ]
    const shown = images.slice(0, 4).map((image) => `\n    ${imageLine(image)}`)
    const rest = images.length - shown.length
    return `  ${kinds.join(', ')}:${shown.join('')}${rest > 0 ? `\n    and ${number(rest)} more` : ''}`
  })
  return section(`duplicates (${number(groups.length)} groups)`, [...lines, ...more(groups.length)])
}

const imageLine = ({ split, path, ...image }: ImageRecord) =>
  `${split}, ${printable(image.class)}: ${printable(path)}`

const section = (title: string, lines: readonly string[]) => (lines.length > 0 ? ['', title, ...lines] : [])
const more = (length: number) =>
  length > SHOWN ? [`  and ${number(length - SHOWN)} more: --json lists them all`] : []
const cut = (text: string, length: number) => (text.length > length ? `${text.slice(0, length - 1)}…` : text)

function verdict({ unreadable, duplicates }: DatasetReport): string {
  const leaks = duplicates?.acrossSplits ?? 0
  return [
    ...(unreadable.length > 0
      ? [`not ok: ${number(unreadable.length)} images cannot be read: remove or replace them`]
      : []),
    ...(leaks > 0 ? [`not ok: ${number(leaks)} images are in train and in val: remove them from one`] : []),
  ].join('\n')
}
