import { expect, test } from 'vitest'
import { quoted } from './quoted.js'

test('text of a file is quoted on one line, what is not seen escaped, long text cut', () => {
  expect(quoted('layer1.0')).toBe('"layer1.0"')
  expect(quoted('a"\n\u001b[2J\u007f\u202e\u2028\ud800')).toBe(
    '"a\\"\\n\\u001b[2J\\u{7f}\\u{202e}\\u{2028}\\ud800"',
  )
  expect(quoted('x'.repeat(10_000))).toBe(`"${'x'.repeat(80)}..."`)
})
