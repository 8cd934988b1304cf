import { printable } from '../data/check/printable.js'
import { type Html, html } from './html.js'

/** Counts of images by `class * C + prediction` in a [C, C] matrix, of those that have any. */
export interface ConfusionCounts {
  readonly classes: readonly string[]
  readonly counts: ReadonlyMap<number, number>
}

/** So many classes are drawn at most: those with the most wrong answers. */
const MOST_CLASSES = 250
/** Up to so many classes have their figures in the cells. */
const MOST_FIGURES = 30
/** From so many classes on names stand at both ends. */
const BOTH_ENDS = 40
const LONGEST_NAME = 26

/**
 * The picture of a confusion matrix. The colour of a cell is the square root of its share of the images of its class, so
 * that one image in a hundred is seen; right answers have one hue and wrong ones another. Cells without images are empty.
 */
export function confusionMatrix({ classes, counts }: ConfusionCounts): Html {
  const total = classes.length
  const count = (row: number, column: number) => counts.get(row * total + column) ?? 0
  const imagesOf = new Float64Array(total)
  for (const [at, images] of counts) imagesOf[Math.floor(at / total)]! += images
  const shown = drawnClasses({ classes, counts })
  const n = shown.length
  const cell = n <= 12 ? 48 : n <= MOST_FIGURES ? 34 : n <= 60 ? 18 : n <= 120 ? 14 : 12
  const font = Math.min(13, Math.max(9, cell - 3))
  const names = shown.map((index) => short(printable(classes[index]!)))
  const gap = Math.ceil(Math.max(...names.map(({ length }) => length)) * font * 0.58) + 14
  const far = n >= BOTH_ENDS ? gap : 8
  const side = n * cell
  const middle = (i: number) => i * cell + cell / 2
  const cells = shown.flatMap((index, i) =>
    shown.flatMap((column, j) => {
      const images = imagesOf[index]!
      const value = count(index, column)
      if (value === 0) return []
      const share = value / images
      const tone = Math.sqrt(share)
      const what = `${classes[index]} taken for ${classes[column]}: ${value} of ${images} (${(100 * share).toFixed(1)} %)`
      const rect = html`<rect class="${i === j ? 'hit' : 'miss'}" x="${j * cell}" y="${i * cell}" width="${cell}" height="${cell}" fill-opacity="${tone.toFixed(3)}"><title>${printable(what)}</title></rect>`
      if (n > MOST_FIGURES) return [rect]
      const dark = tone > 0.6 ? 'figure on' : 'figure'
      return [
        rect,
        html`<text class="${dark}" x="${middle(j)}" y="${middle(i) + font * 0.35}">${value}</text>`,
      ]
    }),
  )
  const atRows = (x: number, anchor: string) =>
    names.map(
      (name, i) => html`<text x="${x}" y="${middle(i) + font * 0.35}" text-anchor="${anchor}">${name}</text>`,
    )
  const atColumns = (y: number, anchor: string) =>
    names.map(
      (name, j) =>
        html`<text transform="translate(${middle(j) + font * 0.35} ${y}) rotate(-90)" text-anchor="${anchor}">${name}</text>`,
    )
  const lines = Array.from({ length: n + 1 }, (_, i) => i * cell).map(
    (at) => html`<path d="M${at} 0V${side}M0 ${at}H${side}"/>`,
  )
  const [width, height] = [gap + side + far, gap + 22 + side + far]
  return html`<svg class="confusion" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Confusion matrix of ${n} classes" font-size="${font}">
<text class="side" x="${gap - 6}" y="${gap}" text-anchor="end">predicted →</text>
<text class="side" x="${gap - 6}" y="${gap + 16}" text-anchor="end">label ↓</text>
<g transform="translate(${gap} ${gap + 22})">
<g class="lines">${lines}</g>
<g class="names">${atRows(-6, 'end')}${atColumns(-6, 'start')}${n >= BOTH_ENDS ? [...atRows(side + 6, 'start'), ...atColumns(side + 6, 'end')] : []}</g>
${cells}
</g>
</svg>`
}

/** The classes that are drawn, in their order: all that occur, or of many those with the most wrong answers. */
export function drawnClasses({ classes, counts }: ConfusionCounts): number[] {
  const size = classes.length
  const any = new Float64Array(size)
  const wrong = new Float64Array(size)
  for (const [at, count] of counts) {
    const [row, column] = [Math.floor(at / size), at % size]
    for (const index of [row, column]) {
      any[index]! += count
      if (row !== column) wrong[index]! += count
    }
  }
  const occurring = Array.from(classes.keys()).filter((index) => any[index]! > 0)
  if (occurring.length <= MOST_CLASSES) return occurring
  return occurring
    .sort((a, b) => wrong[b]! - wrong[a]! || a - b)
    .slice(0, MOST_CLASSES)
    .sort((a, b) => a - b)
}

/** A long name without its middle: numbers and the like stand at the ends. */
const short = (name: string) =>
  name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 10)}…${name.slice(-9)}` : name

/** What the picture needs of a page's style sheet. */
export const confusionStyle = `
.matrix { width: calc(100vw - 48px); margin-left: calc(50% - 50vw + 24px); text-align: center; }
.confusion { text-align: left; max-width: none; }
.confusion .hit { fill: var(--model-0); }
.confusion .miss { fill: var(--wrong); }
.confusion .names { fill: var(--text); }
.confusion .side { fill: var(--quiet); font-size: 12px; }
.confusion .lines { stroke: var(--grid); stroke-width: 1; fill: none; }
.confusion .figure { fill: var(--text); text-anchor: middle; pointer-events: none; }
.confusion .on { fill: var(--ground); }
.pairs th:nth-child(2) { padding-left: 28px; text-align: left; font-weight: inherit; }
.pairs tbody th { font-weight: 400; }
.scale { display: flex; flex-wrap: wrap; gap: 6px 18px; margin-bottom: 16px; font-size: 13px; color: var(--quiet); }
.scale svg { vertical-align: -3px; margin-right: 4px; }
`

/** The scale of the colours, in words and swatches. */
export function confusionScale(): Html {
  const swatch = (kind: 'hit' | 'miss', share: number) =>
    html`<svg class="confusion" width="16" height="16" aria-hidden="true"><rect class="${kind}" width="16" height="16" fill-opacity="${Math.sqrt(share / 100).toFixed(3)}"/></svg>`
  const shares = [1, 5, 25, 50, 100]
  const steps = (kind: 'hit' | 'miss') => shares.map((share) => html`${swatch(kind, share)}${share} % `)
  return html`<div class="scale"><span>share of the images of a class, right: ${steps('hit')}</span><span>wrong: ${steps('miss')}</span></div>`
}
