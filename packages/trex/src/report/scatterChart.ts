import { scaleLinear } from 'd3-scale'
import { figure, type Mark, plot } from './figure.js'
import { type Html, html } from './html.js'
import { markPath } from './modelStyle.js'

/** Runs of several models as points [x, y]. */
export interface ScatterChart {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly series: readonly { readonly mark: Mark; readonly points: readonly (readonly [number, number])[] }[]
  /** A level of y to compare with, drawn across. */
  readonly reference?: { readonly y: number; readonly label: string }
  /** A mean in words. */
  readonly format: (x: number, y: number) => string
}

/** A point a run, small and pale, and the mean of each model's runs, large; as an SVG file of its own. */
export function scatterChart({ title, xLabel, yLabel, series, reference, format }: ScatterChart): Html {
  const drawn = series.filter(({ points }) => points.length > 0)
  const xs = drawn.flatMap(({ points }) => points.map(([x]) => x))
  const ys = [...drawn.flatMap(({ points }) => points.map(([, y]) => y)), ...(reference ? [reference.y] : [])]
  const x = scaleLinear(padded(xs), [plot.left, plot.right]).nice(6)
  const y = scaleLinear(padded(ys), [plot.bottom, plot.top]).nice(6)
  const place = ([px, py]: readonly [number, number]) => `translate(${round(x(px))} ${round(y(py))})`
  const means = drawn.map(({ points }) => [mean(points, 0), mean(points, 1)] as const)
  const legend = drawn.map(({ mark }, i) => ({ mark, text: format(...means[i]!) }))
  const across = reference && round(y(reference.y))
  return figure({
    title,
    description: `${yLabel} against ${xLabel}. ${legend.map(({ mark, text }) => `${mark.label}: ${text}.`).join(' ')}`,
    x: { label: xLabel, ticks: ticks(x) },
    y: { label: yLabel, ticks: ticks(y) },
    legend,
    body: [
      ...(reference
        ? [
            html`<line x1="${plot.left}" x2="${plot.right}" y1="${across}" y2="${across}" stroke="#58616b" stroke-dasharray="5 4"/><text class="note" x="${plot.right - 4}" y="${across! - 6}" text-anchor="end">${reference.label}</text>`,
          ]
        : []),
      ...drawn.map(
        ({ mark, points }) => html`<g fill="${mark.tone}" fill-opacity="0.45">${points.map(
          (point) => html`<path class="run" transform="${place(point)}" d="${markPath(mark, 45)}"/>`,
        )}</g>
`,
      ),
      ...drawn.map(
        ({ mark }, i) =>
          html`<path class="mean" transform="${place(means[i]!)}" d="${markPath(mark, 170)}" fill="${mark.tone}" stroke="#fff"/>
`,
      ),
    ],
  })
}

/** The range of the values and a twelfth of it at either end. */
function padded(values: readonly number[]): [number, number] {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const margin = (most - least) / 12 || 1
  return [least - margin, most + margin]
}

function ticks(scale: ReturnType<typeof scaleLinear<number, number>>) {
  const format = scale.tickFormat(6)
  return scale.ticks(6).map((value) => ({ at: round(scale(value)), text: format(value) }))
}

function mean(points: readonly (readonly [number, number])[], axis: 0 | 1): number {
  return points.reduce((sum, point) => sum + point[axis], 0) / points.length
}

const round = (value: number) => Number(value.toFixed(1))
