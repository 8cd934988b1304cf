import { describe, expect, test } from 'vitest'
import { openGolden } from '../../test/support/golden.js'
import { validationSplit } from './validationSplit.js'

const golden = openGolden('g_linear')
const sorted = (rows: Iterable<number | bigint>) => Array.from(rows, Number).sort((a, b) => a - b)

describe('the validation split', () => {
  test.each(['plain', 'rare'])('of the original, %s, is drawn row for row', (name) => {
    const labels = Int32Array.from(golden.i64(`split.${name}.Y`), Number)
    const { train, val } = validationSplit(labels, 22, { original: true })
    expect([...val]).toEqual(Array.from(golden.i64(`split.${name}.val`), Number))
    expect(sorted(train)).toEqual(sorted(golden.i64(`split.${name}.train`)))
  })

  test('of ours keeps a fifth of every class, whatever the others are', () => {
    const labels = Int32Array.from(golden.i64('split.rare.Y'), Number)
    const { val } = validationSplit(labels, 22)
    const counts = [0, 1, 2, 3, 4, 5].map((c) => [...val].filter((row) => labels[row] === c).length)
    expect(counts).toEqual([2, 1, 2, 1, 2, 2])
  })

  test('needs two images of some class', () => {
    expect(() => validationSplit(Int32Array.of(0, 1), 1)).toThrow('no class has two training images')
    expect(() => validationSplit(Int32Array.of(0, 1), 1, { original: true })).toThrow('no class has two')
  })
})
