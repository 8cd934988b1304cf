import { scaleLinear } from 'd3-scale'
import { type Html, html } from './html.js'
import { type ModelStyle, markPath } from './modelStyle.js'
import { formatPercent } from './table.js'

/** One set's accuracies, a row a model, on a scale from 0 to 100 %. */
export interface DotChart {
  id: string
  title: string
  /** A row without a figure keeps its place; its value is NaN. */
  rows: readonly { style: ModelStyle; value: number }[]
  /** What guessing reaches. */
  chance: number | null
}

const lane = 24
const axis = 22

/**
 * A dot a model with a line from zero, and a dashed line where guessing ends.
 *
 * x is in per cent of the width, so that the text keeps its size on any screen.
 */
export function dotChart({ id, title, rows, chance }: DotChart): Html {
  const x = scaleLinear([0, 100], [0, 100])
  const at = (value: number) => `${Number(x(value).toFixed(2))}%`
  const bottom = lane * rows.length
  const guess = chance === null ? '' : `Guessing reaches ${percent(chance)}.`
  const words = rows.map(
    ({ style, value }) => `${style.label} ${!Number.isFinite(value) ? 'has none' : percent(value)}.`,
  )
  return html`<figure class="chart dots">
<figcaption><span>${title}</span>${chance !== null && html`<span class="chance">chance ${percent(chance)}</span>`}</figcaption>
<svg width="100%" height="${bottom + axis}" role="img" aria-labelledby="${id}-title ${id}-desc">
<title id="${id}-title">${title}, top-1 accuracy</title>
<desc id="${id}-desc">${words.join(' ')} ${guess}</desc>
<g class="grid">${[0, 25, 50, 75, 100].map((t) => html`<line x1="${at(t)}" x2="${at(t)}" y1="0" y2="${bottom}"/>`)}</g>
<g class="axis x">${[0, 50, 100].map((t) => html`<text x="${at(t)}" y="${bottom + 16}">${t}${t === 100 && '\u00a0%'}</text>`)}</g>
${rows.map(
  ({ style, value }, i) => html`<g class="${style.className}">${row(style, value, (i + 0.5) * lane)}</g>
`,
)}
${chance !== null && html`<line class="guess" x1="${at(chance)}" x2="${at(chance)}" y1="0" y2="${bottom}"/>`}
</svg>
</figure>`

  function row(style: ModelStyle, value: number, y: number): Html {
    if (!Number.isFinite(value)) return html`<text class="value" x="11" y="${y + 4.5}">–</text>`
    return html`<line class="stem" x1="0" x2="${at(value)}" y1="${y}" y2="${y}"/>
<svg x="${at(value)}" y="${y}" overflow="visible"><path class="dot" d="${markPath(style, 72)}"/><text class="value" x="11" y="4.5">${formatPercent(value)}</text></svg>`
  }
}

const percent = (value: number) => `${formatPercent(value)}\u00a0%`
