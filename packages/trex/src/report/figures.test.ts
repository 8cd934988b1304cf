import { symbolCircle, symbolSquare } from 'd3-shape'
import { describe, expect, test } from 'vitest'
import { differenceChart } from './differenceChart.js'
import { htmlText } from './html.js'
import { scatterChart } from './scatterChart.js'

const mark = (label: string) => ({ label, tone: '#123456', shape: symbolCircle })
const places = (svg: string, name: string) =>
  [...svg.matchAll(new RegExp(`class="${name}" transform="translate\\(([\\d.-]+) ([\\d.-]+)\\)"`, 'g'))].map(
    (found) => found.slice(1).map(Number),
  )

describe('scatterChart', () => {
  const svg = htmlText(
    scatterChart({
      title: 'A < B',
      xLabel: 'top-1',
      yLabel: 'log odds',
      series: [
        {
          mark: mark('one'),
          points: [
            [10, -1],
            [20, -2],
            [30, -3],
          ],
        },
        { mark: { ...mark('two'), shape: symbolSquare }, points: [[40, 0]] },
        { mark: mark('nobody'), points: [] },
      ],
      reference: { y: -2.5, label: 'untrained' },
      format: (x, y) => `${x} %, ${y}`,
    }),
  )

  test('a point a run and one for the mean, in the plot, right and up for more', () => {
    const runs = places(svg, 'run')
    const means = places(svg, 'mean')
    expect([runs.length, means.length]).toEqual([4, 2])
    expect(means[0]).toEqual(runs[1]) // the mean of three equally spaced points is the middle one
    const [[x0, y0], , [x2, y2], [x3, y3]] = runs as [number, number][]
    expect(x0! < x2! && x2! < x3!).toBe(true)
    expect(y2! > y0! && y0! > y3!).toBe(true)
    // Linear axes: 10 per cent are as far on the x axis wherever they are.
    expect(runs[1]![0]! - runs[0]![0]!).toBeCloseTo(runs[2]![0]! - runs[1]![0]!, 0)
    for (const [x, y] of runs) expect(x! > 72 && x! < 500 && y! > 48 && y! < 372).toBe(true)
  })

  test('texts are escaped, and a model without runs is left out', () => {
    expect(svg).toContain('<title id="title">A &lt; B</title>')
    expect(svg).toContain('one: 20 %, -2. two: 40 %, 0.')
    expect(svg).not.toContain('nobody')
    expect(svg).toContain('untrained')
  })
})

test('differences are on a logarithmic scale, and equal values have their own level', () => {
  const series = [
    { mark: mark('a'), values: [0, 1e-7, 1e-7] },
    { mark: mark('b'), values: [0, 0, 0] },
  ]
  const svg = htmlText(differenceChart({ title: 'T', xLabel: 'step', yLabel: 'difference', series }))
  // y runs from 1e-17 at 372 to 1e-6 at 48, so 1e-7 is ten elevenths of 324 pixels up; x from 72 to 500 over two steps.
  expect(svg).toContain('d="M72,372L286,77.5L500,77.5"')
  expect(svg).toContain('d="M72,372L286,372L500,372"')
  expect(svg).toContain('a: at most 1.0e-7. b: equal bit for bit.')
})
