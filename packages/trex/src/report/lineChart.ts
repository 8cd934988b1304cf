import { scaleLinear } from 'd3-scale'
import { line } from 'd3-shape'
import { type Html, html } from './html.js'
import { type ModelStyle, markPath } from './modelStyle.js'

/** One model's line: points [x, y] in the order of x. */
export interface Series {
  style: ModelStyle
  points: readonly (readonly [x: number, y: number])[]
}

/** A chart of lines over time. */
export interface LineChart {
  id: string
  title: string
  xLabel: string
  yLabel: string
  series: readonly Series[]
  /** A value at the end of a line and in the description. */
  format: (y: number) => string
}

const size = { width: 340, height: 236 }
const margin = { top: 30, right: 46, bottom: 40, left: 44 }
const maxPoints = 120
/** Up to so many points have a mark each; of more, only the last has. */
const maxMarks = 15

/** How many points share a bin when at most `count` bins are wanted. */
const binSize = (points: Series['points'], count: number) => Math.max(1, Math.ceil(points.length / count))

/** Means of consecutive points, at most `count` of them: a long noisy line made readable. */
export function binMeans(points: Series['points'], count: number): [number, number][] {
  const perBin = binSize(points, count)
  const bins = Array.from({ length: Math.ceil(points.length / perBin) }, (_, i) =>
    points.slice(i * perBin, (i + 1) * perBin),
  )
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
  return bins.map((bin) => [mean(bin.map(([x]) => x)), mean(bin.map(([, y]) => y))])
}

/** Positions at least `gap` apart, as near as can be to those wanted, in the same order. */
export function spread(wanted: readonly number[], gap: number): number[] {
  const order = wanted.map((y, i) => ({ y, i })).sort((a, b) => a.y - b.y)
  for (let k = 1; k < order.length; k++) {
    const overlap = order[k - 1]!.y + gap - order[k]!.y
    if (overlap <= 0) continue
    // Both give way by half, so that two close labels stay centred on their ends.
    order[k]!.y += overlap / 2
    for (let j = k - 1; j >= 0; j--) order[j]!.y = Math.min(order[j]!.y, order[j + 1]!.y - gap)
  }
  return order.sort((a, b) => a.i - b.i).map(({ y }) => y)
}

/** A chart as inline SVG with a title, a description in words and the last value at the end of each line. */
export function lineChart({ id, title, xLabel, yLabel, series, format }: LineChart): Html {
  const drawn = series
    .map(({ style, points }) => ({ style, points: binMeans(points.filter(finite), maxPoints) }))
    .filter(({ points }) => points.length > 0)
  const perBin = Math.max(...series.map(({ points }) => binSize(points, maxPoints)))
  const over = perBin > 1 ? `${xLabel}, means of ${perBin}` : xLabel
  const all = drawn.flatMap(({ points }) => points)
  if (all.length === 0)
    return html`<figure class="chart"><figcaption>${title}</figcaption><p>No figures.</p></figure>`

  const xs = all.map(([x]) => x)
  const ys = all.map(([, y]) => y)
  const { width, height } = size
  const [left, right, top, bottom] = [margin.left, width - margin.right, margin.top, height - margin.bottom]
  const x = scaleLinear([Math.min(0, ...xs), Math.max(1, ...xs)], [left, right])
  const y = scaleLinear([Math.min(0, ...ys), Math.max(...ys) || 1], [bottom, top]).nice(4)
  const path = line<[number, number]>(
    ([px]) => x(px),
    ([, py]) => y(py),
  ).digits(1)
  const whole = x.ticks(5).filter(Number.isInteger)
  const ends = drawn.map(({ points }) => points.at(-1)!)
  const labels = spread(
    ends.map(([, py]) => y(py)),
    14,
  )
  const words = drawn.map(
    ({ style, points }) => `${style.label}: from ${format(points[0]![1])} to ${format(points.at(-1)![1])}.`,
  )
  return html`<figure class="chart">
<figcaption>${title}</figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc">
<title id="${id}-title">${title}</title>
<desc id="${id}-desc">${yLabel} over ${over}. ${words.join(' ')}</desc>
<g class="grid">${y.ticks(4).map((t) => html`<line x1="${left}" x2="${right}" y1="${round(y(t))}" y2="${round(y(t))}"/>`)}</g>
<g class="axis y">${y.ticks(4).map((t) => html`<text x="${left - 8}" y="${round(y(t) + 4)}">${y.tickFormat(4)(t)}</text>`)}</g>
<g class="axis x">${whole.map((t) => html`<text x="${round(x(t))}" y="${bottom + 18}">${t.toLocaleString('en')}</text>`)}</g>
<text class="label" x="0" y="12">${yLabel}</text>
<text class="label end" x="${right}" y="${height - 4}">${over}</text>
${drawn.map(
  ({ style, points }, i) => html`<g class="${style.className}">
<path class="line" d="${path(points)}"/>
${points.slice(points.length > maxMarks ? -1 : 0).map(([px, py]) => html`<path class="dot" transform="translate(${round(x(px))} ${round(y(py))})" d="${markPath(style, 50)}"/>`)}
<text class="value" x="${round(x(ends[i]![0]) + 8)}" y="${round(labels[i]! + 4)}">${format(ends[i]![1])}</text>
</g>`,
)}
</svg>
</figure>`
}

const finite = ([x, y]: readonly [number, number]) => Number.isFinite(x) && Number.isFinite(y)
const round = (value: number) => Number(value.toFixed(1))
