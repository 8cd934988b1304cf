import { type SymbolType, symbol, symbolCircle, symbolDiamond, symbolSquare, symbolTriangle } from 'd3-shape'
import { type Html, html } from './html.js'
import type { DemoReport } from './report.js'

/** How a model is told apart everywhere: a colour (by its CSS class) and a shape, so that neither is needed alone. */
export interface ModelStyle {
  label: string
  className: string
  shape: SymbolType
}

const shapes = [symbolCircle, symbolDiamond, symbolTriangle]

/** The style of a model by its name; a name that no model of the report has is a baseline, in grey. */
export function modelStyle(report: DemoReport, name: string): ModelStyle {
  const index = report.models.findIndex((model) => model.name === name)
  if (index < 0) return { label: name, className: 'baseline', shape: symbolSquare }
  const place = index % shapes.length
  return { label: report.models[index]!.label, className: `model-${place}`, shape: shapes[place]! }
}

/** The path of a model's mark around (0, 0), `area` in square pixels. */
export function markPath(style: Pick<ModelStyle, 'shape'>, area: number): string {
  return symbol(style.shape, area)() ?? ''
}

/** A mark for running text and table heads. */
export function inlineMark(style: ModelStyle): Html {
  return html`<svg class="mark ${style.className}" width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true"><path d="${markPath(style, 72)}"/></svg>`
}

/** Marks and labels of several models, and of whatever else a chart draws. */
export function legend(styles: readonly ModelStyle[], ...others: readonly Html[]): Html {
  const entries = styles.map((style) => html`<li>${inlineMark(style)} ${style.label}</li>`)
  return html`<ul class="legend">${entries}${others.map((other) => html`<li>${other}</li>`)}</ul>`
}
