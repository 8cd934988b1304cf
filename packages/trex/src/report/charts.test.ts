import { describe, expect, test } from 'vitest'
import { dotChart } from './dotChart.js'
import { htmlText } from './html.js'
import { binMeans, lineChart, spread } from './lineChart.js'
import { modelStyle } from './modelStyle.js'
import type { DemoReport } from './report.js'

const report = { models: [{ name: 'a', label: 'A' }] } as DemoReport
const style = modelStyle(report, 'a')

describe('binMeans', () => {
  test('keeps the mean of the whole when bins are equal', () => {
    const points = Array.from({ length: 12 }, (_, i) => [i, i * i] as const)
    // Bins of 4: x 1.5, 5.5, 9.5; y (0+1+4+9)/4, (16+25+36+49)/4, (64+81+100+121)/4.
    expect(binMeans(points, 3)).toEqual([
      [1.5, 3.5],
      [5.5, 31.5],
      [9.5, 91.5],
    ])
  })

  test('leaves few points as they are', () => {
    expect(binMeans([[1, 2]], 5)).toEqual([[1, 2]])
    expect(binMeans([], 5)).toEqual([])
  })
})

test('spread keeps order and gap, and leaves what is apart alone', () => {
  expect(spread([50, 10, 30], 14)).toEqual([50, 10, 30])
  const [a, b] = spread([20, 22], 14) as [number, number]
  expect([a + b, b - a]).toEqual([42, 14])
})

test('a line goes from corner to corner when its data do', () => {
  const text = htmlText(
    lineChart({
      id: 'c',
      title: 'T',
      xLabel: 'step',
      yLabel: 'loss',
      series: [
        {
          style,
          points: [
            [0, 4],
            [Number.NaN, 1],
            [2, Number.POSITIVE_INFINITY],
            [10, 0],
          ],
        },
      ],
      format: String,
    }),
  )
  // Plot area: x 44..294, y 30..196 (downwards); figures that are not finite are left out.
  expect(text).toContain('class="line" d="M44,30L294,196"')
  expect(text).toContain('A: from 4 to 0.')
})

test('no figures, no chart', () => {
  const chart = { id: 'c', title: 'T', xLabel: 'x', yLabel: 'y', format: String }
  expect(htmlText(lineChart({ ...chart, series: [{ style, points: [] }] }))).toContain('No figures.')
})

test('a dot stands at its per cent, chance at its own', () => {
  const rows = [
    { style, value: 62.5 },
    { style: modelStyle(report, 'pixels'), value: Number.NaN },
  ]
  const text = htmlText(dotChart({ id: 'd', title: 'S', rows, chance: 10 }))
  expect(text).toContain('<svg x="62.5%" y="12"')
  expect(text).toContain('<line class="guess" x1="10%" x2="10%"')
  expect(text).toContain('A 62.5\u00a0%. pixels has none. Guessing reaches 10.0\u00a0%.')
})
