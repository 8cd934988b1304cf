import { lineOf } from './tree.js'

/** What of a file became an encoder's weights. */
export interface EncoderReport {
  /** The file, and where in it: a key such as `teacher`, and what stands before the encoder's names. */
  readonly path: string
  readonly key: string
  readonly prefix: string
  /** How many of the encoder's tensors came from the file. */
  readonly taken: number
  /** Names beside them that are none of the encoder's. */
  readonly leftOver: readonly string[]
  /** Counters of batches that the file does not have; they stay 0. */
  readonly missing: readonly string[]
  /** Other places of the file that have the encoder too. */
  readonly others: readonly string[]
}

/** The report in words, a line each. */
export function describeReport({
  path,
  key,
  prefix,
  taken,
  leftOver,
  missing,
  others,
}: EncoderReport): string[] {
  const where = [key && `in ${lineOf(key)}`, prefix && `under ${lineOf(prefix)}*`].filter(Boolean).join(', ')
  return [
    `encoder from ${path}${where ? ` (${where})` : ''}: ${taken} tensors taken`,
    ...(others.length ? [`  also there, and not taken: ${summary(others)}`] : []),
    ...(leftOver.length ? [`  left over: ${summary(leftOver)}`] : []),
    ...(missing.length ? [`  missing, and left at 0: ${summary(missing)}`] : []),
  ]
}

const SHOWN = 12

/** The names, or of many how many there are under each first part. */
function summary(names: readonly string[]): string {
  if (names.length <= SHOWN) return names.map(lineOf).join(', ')
  const groups = new Map<string, { first: string; count: number }>()
  for (const name of names) {
    const key = /^(model\.)?[^.]+/.exec(name)?.[0] ?? name
    const group = groups.get(key)
    if (group) group.count++
    else groups.set(key, { first: name, count: 1 })
  }
  const shown = [...groups]
    .slice(0, SHOWN)
    .map(([key, { first, count }]) => (count === 1 ? lineOf(first) : `${lineOf(key)}.* (${count})`))
  const more = groups.size > SHOWN ? `, and ${groups.size - SHOWN} more` : ''
  return `${names.length} names: ${shown.join(', ')}${more}`
}
