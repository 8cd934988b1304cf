import fc from 'fast-check'
import { expect, test } from 'vitest'
import { escaped, fenced } from './markdown.js'

/** What CommonMark makes of backslashes and entities in a text without other meanings. */
const read = (text: string): string =>
  text
    .replace(/\\([!-/:-@[-`{-~])/g, '$1')
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))

test('any text stays what it is, on one line, without a sign that means something', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const safe = escaped(text)
      expect(safe).not.toMatch(/[\r\n\u2028\u2029\u202e]/)
      expect(safe.replace(/\\[!-/:-@[-`{-~]|&#\d+;/g, '')).not.toMatch(/[\\`*_[\]<>#|~&:@$]/)
      const plain = text.replace(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/gu, ' ')
      expect(read(safe)).toBe(plain)
    }),
    { numRuns: 1000 },
  )
  expect(escaped('[x](http://y) <b>')).toBe('\\[x\\](http&#58;//y) &#60;b&#62;')
})

test('a block of code ends where its text does', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('`', '~', '\n', 'a', ' ') }), (code) => {
      const lines = fenced('yaml', code).split('\n')
      const fence = lines.at(-1)!
      expect(fence).toMatch(/^`{3,}$/)
      expect(lines[0]).toBe(`${fence}yaml`)
      for (const line of lines.slice(1, -1)) expect(line.includes(fence)).toBe(false)
    }),
  )
})
