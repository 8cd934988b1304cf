import { scaleLinear, scaleLog } from 'd3-scale'
import { line } from 'd3-shape'
import { figure, type Mark, plot } from './figure.js'
import { type Html, html } from './html.js'

/** Relative differences of two programs' values, step by step; 0 where they are equal bit for bit. */
export interface DifferenceChart {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly series: readonly { readonly mark: Mark; readonly values: readonly number[] }[]
}

/** Where equal values stand: below what float64 can tell apart. */
const EQUAL = 1e-17

/** Differences on a logarithmic scale, with a place of their own for none at all; as an SVG file of its own. */
export function differenceChart({ title, xLabel, yLabel, series }: DifferenceChart): Html {
  const steps = Math.max(...series.map(({ values }) => values.length))
  const largest = Math.max(EQUAL, ...series.flatMap(({ values }) => values))
  const x = scaleLinear([0, steps - 1], [plot.left, plot.right])
  const y = scaleLog([EQUAL, 10 ** Math.ceil(Math.log10(largest) + 0.1)], [plot.bottom, plot.top])
  const path = line<number>(
    (_, step) => x(step),
    (value) => y(Math.max(value, EQUAL)),
  ).digits(1)
  const legend = series.map(({ mark, values }) => ({ mark, text: inWords(Math.max(...values)) }))
  const powers = Array.from({ length: 9 }, (_, i) => 10 ** (2 * i - 16)).filter(
    (power) => power <= y.domain()[1]!,
  )
  return figure({
    title,
    description: `${yLabel} over ${xLabel}. ${legend.map(({ mark, text }) => `${mark.label}: ${text}.`).join(' ')}`,
    x: { label: xLabel, ticks: x.ticks(6).map((step) => ({ at: round(x(step)), text: String(step) })) },
    y: {
      label: yLabel,
      ticks: [
        { at: plot.bottom, text: 'equal' },
        ...powers.map((power) => ({ at: round(y(power)), text: power === 1 ? '1' : power.toExponential(0) })),
      ],
    },
    legend,
    body: series.map(
      ({ mark, values }) => html`<path class="line" d="${path([...values])}" stroke="${mark.tone}"/>
`,
    ),
  })
}

const inWords = (largest: number) =>
  largest === 0 ? 'equal bit for bit' : `at most ${largest.toExponential(1)}`
const round = (value: number) => Number(value.toFixed(1))
