/** A value of a parsed header; objects are Maps, so that no key of a file can reach a prototype. */
export type HeaderValue = string | number | boolean | null | HeaderValue[] | Map<string, HeaderValue>

const SPACE = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const UNSIGNED = /^\d+$/
const WORD = /true|false|null/y
const MAX_DEPTH = 8

/**
 * The end of the string literal that starts at `at`, or undefined when there is none. (A regular expression would
 * remember each character to come back to, and overflow on a long string.)
 */
function endOfString(text: string, at: number): number | undefined {
  if (text[at] !== '"') return undefined
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '"') return i + 1
    if (text[i] === '\\') i++
  }
  return undefined
}

/**
 * Parses JSON as a safetensors header needs it and `JSON.parse` does not: a repeated key is an error, and a
 * number that is not an unsigned integer literal (`-1`, `1.0`, `1e3`) becomes NaN. Nesting is limited to 8
 * levels.
 * @throws SyntaxError with the position of what is wrong.
 */
export function parseHeaderJson(text: string): HeaderValue {
  let at = 0

  const fail = (what: string): never => {
    throw new SyntaxError(`${what} at character ${at} of the header`)
  }
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found !== undefined) at += found.length
    return found
  }
  const take = (character: string): boolean => {
    match(SPACE)
    if (text[at] !== character) return false
    at++
    return true
  }
  const expect = (character: string): void => {
    if (!take(character)) fail(`expected '${character}'`)
  }
  const string = (): string => {
    match(SPACE)
    const end = endOfString(text, at) ?? fail('expected a string')
    const literal = text.slice(at, end)
    at = end
    try {
      return JSON.parse(literal) as string
    } catch {
      return fail('malformed string before')
    }
  }
  const object = (depth: number): Map<string, HeaderValue> => {
    const entries = new Map<string, HeaderValue>()
    if (take('}')) return entries
    do {
      const key = string()
      if (entries.has(key)) fail(`duplicate key ${JSON.stringify(key)} before`)
      expect(':')
      entries.set(key, value(depth))
    } while (take(','))
    expect('}')
    return entries
  }
  const array = (depth: number): HeaderValue[] => {
    const items: HeaderValue[] = []
    if (take(']')) return items
    do items.push(value(depth))
    while (take(','))
    expect(']')
    return items
  }
  const value = (depth: number): HeaderValue => {
    if (depth > MAX_DEPTH) fail(`more than ${MAX_DEPTH} nested levels`)
    if (take('{')) return object(depth + 1)
    if (take('[')) return array(depth + 1)
    if (text[at] === '"') return string()
    const number = match(NUMBER)
    if (number !== undefined) return UNSIGNED.test(number) ? Number(number) : Number.NaN
    const word = match(WORD)
    if (word === undefined) return fail('expected a value')
    return word === 'null' ? null : word === 'true'
  }

  const parsed = value(0)
  match(SPACE)
  if (at !== text.length) fail('unexpected text after the end')
  return parsed
}
