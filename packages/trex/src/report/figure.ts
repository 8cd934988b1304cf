import type { SymbolType } from 'd3-shape'
import { type Html, html, trusted } from './html.js'
import { markPath } from './modelStyle.js'

/** How one entry of a figure is told apart: a colour and a shape, so that neither is needed alone. */
export interface Mark {
  readonly label: string
  /** A CSS colour. */
  readonly tone: string
  readonly shape: SymbolType
}

/** An axis: its name and its marks, `at` in pixels of the figure. */
export interface Axis {
  readonly label: string
  readonly ticks: readonly { readonly at: number; readonly text: string }[]
}

/** What an SVG file of its own shows. */
export interface Figure {
  readonly title: string
  /** The figure in words. */
  readonly description: string
  readonly x: Axis
  readonly y: Axis
  readonly legend: readonly { readonly mark: Mark; readonly text: string }[]
  readonly body: readonly Html[]
}

/** The plot area of every figure in pixels, y downwards. */
export const plot = { left: 72, right: 500, top: 48, bottom: 372 } as const
const size = { width: 760, height: 430 } as const

const styleSheet = trusted(`
text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; fill: #1b2026; }
.title { font-size: 16px; font-weight: 600; }
.tick, .note { fill: #58616b; }
.x .tick { text-anchor: middle; }
.y .tick { text-anchor: end; }
.grid { stroke: #e6e9ec; }
.frame { stroke: #58616b; fill: none; }
.line { fill: none; stroke-width: 1.5; stroke-linejoin: round; }
`)

/** A complete SVG file on white ground: axes with a grid, the body, and a legend beside it. */
export function figure({ title, description, x, y, legend, body }: Figure): Html {
  const { left, right, top, bottom } = plot
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}" role="img" aria-labelledby="title description">
<title id="title">${title}</title>
<desc id="description">${description}</desc>
<style>${styleSheet}</style>
<rect width="${size.width}" height="${size.height}" fill="#fff"/>
<text class="title" x="16" y="26">${title}</text>
<g class="x">${x.ticks.map(
    ({
      at,
      text,
    }) => html`<line class="grid" x1="${at}" x2="${at}" y1="${top}" y2="${bottom}"/><text class="tick" x="${at}" y="${bottom + 20}">${text}</text>
`,
  )}</g>
<g class="y">${y.ticks.map(
    ({
      at,
      text,
    }) => html`<line class="grid" x1="${left}" x2="${right}" y1="${at}" y2="${at}"/><text class="tick" x="${left - 8}" y="${at + 4}">${text}</text>
`,
  )}</g>
<path class="frame" d="M${left},${top}V${bottom}H${right}"/>
<text x="${(left + right) / 2}" y="${bottom + 44}" text-anchor="middle">${x.label}</text>
<text transform="translate(18 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${y.label}</text>
${body}
${legend.map(
  ({ mark, text }, i) => html`<g transform="translate(${right + 32} ${top + 14 + 42 * i})">
<path d="${markPath(mark, 80)}" fill="${mark.tone}"/><text x="14" y="4">${mark.label}</text><text class="note" x="14" y="22">${text}</text>
</g>
`,
)}
</svg>
`
}
