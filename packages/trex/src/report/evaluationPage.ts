import { printable } from '../data/check/printable.js'
import {
  type ConfusionCounts,
  confusionMatrix,
  confusionScale,
  confusionStyle,
  drawnClasses,
} from './confusionMatrix.js'
import { htmlDocument } from './document.js'
import { type Html, html, htmlText } from './html.js'

/** What an evaluation's page shows. */
export interface EvaluationReport {
  readonly title: string
  readonly subtitle: string
  /** Name and figure, as text. */
  readonly scores: readonly (readonly [name: string, value: string])[]
  readonly notes: readonly string[]
  readonly confusion: ConfusionCounts
  readonly perClass: readonly {
    readonly name: string
    readonly images: number
    readonly correct: number
    readonly wrongly: number
    /** Per cent; null without images. */
    readonly accuracy: number | null
  }[]
  readonly confused: readonly {
    readonly label: string
    readonly prediction: string
    readonly images: number
    readonly share: number
  }[]
}

/** The evaluation as one HTML file: the scores, the confusion matrix, what is confused most, and every class. */
export function evaluationPage(report: EvaluationReport): string {
  const { title, subtitle, scores, notes, confusion } = report
  const drawn = drawnClasses(confusion).length
  const some =
    drawn < confusion.classes.length
      ? `The ${drawn} of ${confusion.classes.length} classes that occur${drawn >= 250 ? ', with the most wrong answers' : ''}. `
      : ''
  return htmlText(
    htmlDocument({
      title: printable(title),
      style: confusionStyle,
      body: html`<header><h1>${printable(title)}</h1><p class="subtitle">${printable(subtitle)}</p></header>
<main>
<section><h2>Scores</h2>
<table>${scores.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</table>
${notes.map((note) => html`<p class="note">${printable(note)}</p>`)}</section>
<section><h2>Confusion matrix</h2>
<p>${some}A row is the images of one class, a column what they were taken for. Point at a cell for its figures.</p>
${confusionScale()}
<div class="matrix scroll" tabindex="0" role="region" aria-label="Confusion matrix">${confusionMatrix(confusion)}</div></section>
${confusedSection(report)}
${classesSection(report)}
</main>`,
    }),
  )
}

function confusedSection({ confused }: EvaluationReport): Html | false {
  if (confused.length === 0) return false
  const rows = confused.map(
    ({ label, prediction, images, share }) =>
      html`<tr><th scope="row">${printable(label)}</th><th scope="row">${printable(prediction)}</th><td>${images}</td><td>${share.toFixed(1)}</td></tr>`,
  )
  return html`<section><h2>Confused most often</h2>
<div class="scroll"><table class="pairs"><thead><tr><th scope="col">class</th><th scope="col">taken for</th><th scope="col">images</th><th scope="col">% of the class</th></tr></thead>
<tbody>${rows}</tbody></table></div></section>`
}

function classesSection({ perClass }: EvaluationReport): Html {
  const present = perClass.filter(({ accuracy }) => accuracy !== null)
  const rows = [...present]
    .sort((a, b) => a.accuracy! - b.accuracy!)
    .map(
      ({ name, images, correct, wrongly, accuracy }) =>
        html`<tr><th scope="row">${printable(name)}</th><td>${accuracy!.toFixed(1)}</td><td>${correct}</td><td>${images}</td><td>${wrongly}</td></tr>`,
    )
  return html`<section><h2>Classes</h2><p>The least recognised first.</p>
<div class="scroll"><table><thead><tr><th scope="col">class</th><th scope="col">accuracy, %</th><th scope="col">right</th><th scope="col">images</th><th scope="col">others taken for it</th></tr></thead>
<tbody>${rows}</tbody></table></div></section>`
}
