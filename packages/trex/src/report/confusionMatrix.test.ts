import { describe, expect, test } from 'vitest'
import { confusionMatrix, drawnClasses } from './confusionMatrix.js'
import { evaluationPage } from './evaluationPage.js'
import { htmlText } from './html.js'

const classes = ['cat', '<b>"dog"</b>', 'fox']
const counts = new Map([
  [0, 1],
  [1, 3],
  [4, 4],
])

describe('the picture', () => {
  const svg = htmlText(confusionMatrix({ classes, counts }))

  test('has a cell for each pair that occurs, as dark as the root of its share', () => {
    const cells = [...svg.matchAll(/<rect class="(hit|miss)" x="(\d+)" y="(\d+)".*?fill-opacity="([\d.]+)"/g)]
    expect(cells.map(([, kind, x, y, tone]) => [kind, Number(x), Number(y), Number(tone)])).toEqual([
      ['hit', 0, 0, 0.5],
      ['miss', 48, 0, 0.866],
      ['hit', 48, 48, 1],
    ])
    expect(svg).toContain('cat taken for &lt;b&gt;&quot;dog&quot;&lt;/b&gt;: 3 of 4 (75.0 %)')
    expect(svg).not.toContain('<b>')
  })

  test('leaves out classes that do not occur, and of very many those with the fewest errors', () => {
    expect(drawnClasses({ classes, counts })).toEqual([0, 1])
    const size = 300
    const many = new Map<number, number>()
    for (let row = 0; row < size; row++) many.set(row * size + row, 1)
    for (let row = 50; row < size; row++) many.set(row * size + ((row + 1 - 50) % 250) + 50, 2)
    const drawn = drawnClasses({ classes: Array.from({ length: size }, String), counts: many })
    expect(drawn).toEqual(Array.from({ length: 250 }, (_, i) => i + 50))
  })
})

test('the page loads nothing and escapes names', () => {
  const page = evaluationPage({
    title: '<script>alert(1)</script>',
    subtitle: 'x\u202ey',
    scores: [['top-1', '62.50 %']],
    notes: [],
    confusion: { classes, counts },
    perClass: [{ name: classes[1]!, images: 4, correct: 4, wrongly: 3, accuracy: 100 }],
    confused: [{ label: 'cat', prediction: classes[1]!, images: 3, share: 75 }],
  })
  expect(page).not.toMatch(/<script|<b>|https?:|\u202e/)
  expect(page).toContain('&lt;script&gt;')
  expect(page).toContain('<td>62.50 %</td>')
})
