import { TrexError } from '../../errors.js'
import { withoutSecrets } from './httpUrl.js'

const MAX_SHARDS = 100_000

/**
 * Expands lists {a,b} and ranges {000..012}, {0..10..2}, one inside the other as well, from left to right as a shell
 * does; a range keeps the zeros of its ends. Braces without a comma or a range stay. Throws TrexError for a brace that
 * is not closed and for more than 100,000 results.
 */
export function expandBraces(text: string): string[] {
  const results = expand(text, text)
  if (results.length > MAX_SHARDS) throw tooMany(text)
  return results
}

const tooMany = (text: string) =>
  new TrexError(`${withoutSecrets(text)} names more than ${MAX_SHARDS.toLocaleString('en')} shards`, {
    hint: 'check the ends of its ranges',
  })

function expand(text: string, whole: string): string[] {
  const open = text.indexOf('{')
  if (open === -1) return [text]
  const close = closingBrace(text, open)
  if (close === -1) {
    throw new TrexError(`${withoutSecrets(whole)} has a '{' that is not closed`, {
      hint: 'write ranges as {000..012}',
    })
  }
  const inside = text.slice(open + 1, close)
  const parts = splitList(inside)
  const middles =
    parts.length > 1
      ? parts.flatMap((part) => expand(part, whole))
      : (range(inside, whole) ?? [`{${inside}}`])
  const tails = expand(text.slice(close + 1), whole)
  if (middles.length * tails.length > MAX_SHARDS) throw tooMany(whole)
  return middles.flatMap((middle) => tails.map((tail) => text.slice(0, open) + middle + tail))
}

function closingBrace(text: string, open: number): number {
  let depth = 0
  for (let i = open; i < text.length; i++) {
    if (text[i] === '{') depth++
    if (text[i] === '}' && --depth === 0) return i
  }
  return -1
}

function splitList(inside: string): string[] {
  const parts = ['']
  let depth = 0
  for (const character of inside) {
    if (character === '{') depth++
    if (character === '}') depth--
    if (character === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += character
  }
  return parts
}

function range(inside: string, whole: string): string[] | null {
  const match = /^(\d{1,15})\.\.(\d{1,15})(?:\.\.(\d{1,15}))?$/.exec(inside)
  if (!match) return null
  const [from, to, step] = [Number(match[1]), Number(match[2]), Math.max(Number(match[3] ?? 1), 1)]
  const count = Math.floor(Math.abs(to - from) / step) + 1
  if (count > MAX_SHARDS) throw tooMany(whole)
  const isPadded = [match[1]!, match[2]!].some((end) => end.length > 1 && end.startsWith('0'))
  const width = isPadded ? Math.max(match[1]!.length, match[2]!.length) : 0
  const sign = to < from ? -1 : 1
  return Array.from({ length: count }, (_, i) => `${from + sign * step * i}`.padStart(width, '0'))
}
