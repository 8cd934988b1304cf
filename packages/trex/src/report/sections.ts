import { dotChart } from './dotChart.js'
import { duration } from './duration.js'
import { type Html, html, webAddress } from './html.js'
import { lineChart } from './lineChart.js'
import { inlineMark, legend, modelStyle } from './modelStyle.js'
import type { DemoReport } from './report.js'
import { bestRows, formatCell } from './table.js'

/** The headline: one row a set, one column a model, the best figure of each row marked. */
export function resultsSection(report: DemoReport): Html {
  const { columns, rows, chance, notes } = report.table
  const last = columns.length - 1
  const heads = rows.map(({ model }) => {
    const style = modelStyle(report, model)
    // Only spaces may break a label: "t-ReX" stays whole in a narrow column.
    const words = style.label.split(' ').map((word) => html`<span class="word">${word}</span> `)
    return html`<th scope="col">${inlineMark(style)} ${words}</th>`
  })
  const lines = columns.map((name, column) => {
    const best = bestRows(report.table, column)
    const cells = rows.map(({ cells }, row) => {
      const text = formatCell(report.table, column, cells[column])
      if (!best.has(row)) return html`<td>${text}</td>`
      return html`<td><strong class="best">${text}<span class="unseen"> (best)</span></strong></td>`
    })
    const guess = chance && html`<td class="quiet">${formatCell(report.table, column, chance[column])}</td>`
    return html`<tr${column === last && html` class="total"`}><th scope="row">${name}</th>${cells}${guess}</tr>`
  })
  return html`<section aria-labelledby="results">
<h2 id="results">Results</h2>
<div class="scroll" tabindex="0" role="region" aria-labelledby="results">
<table class="results">
<caption><span>Top-1 accuracy in per cent; the last row is the mean log odds. The best figure of a row is marked.</span></caption>
<thead><tr><td></td>${heads}${chance && html`<th scope="col" class="quiet">Chance</th>`}</tr></thead>
<tbody>${lines}</tbody>
</table>
</div>
${notes.map((note) => html`<p class="note">${note}</p>`)}
<div class="reading">
<h3>How to read it</h3>
<p>Each encoder learned the training task and nothing else, and was then frozen. For every transfer set a
linear classifier was fitted on its features and scored once, on pictures held out from the fit: the
figure says how much of what the encoder learned is of use elsewhere. Top-1 is the share of pictures whose
first answer is right. The log odds of a share p is ln(p/(1&nbsp;−&nbsp;p)); its mean lets a step near 0 or 100&nbsp;%,
which is hard, count for more than the same step near 50&nbsp;%. Small sets are noisy: with n test pictures a
share p is known to about ±&nbsp;√(p(1&nbsp;−&nbsp;p)/n), so read small differences as ties.</p>
</div>
</section>`
}

/** Small multiples of the accuracies: every set on the same scale. */
export function transferSection(report: DemoReport): Html {
  const { columns, rows, chance } = report.table
  const sets = columns.slice(0, -1)
  const styles = rows.map(({ model }) => modelStyle(report, model))
  const wide = sets.length === 2 || sets.length === 4 ? 'two' : 'three'
  const guess = html`<svg class="mark" width="14" height="14" aria-hidden="true"><line class="guess" x1="7" x2="7" y1="0" y2="14"/></svg> chance`
  return html`<section aria-labelledby="accuracy">
<h2 id="accuracy">Accuracy by set</h2>
<p>Top-1 accuracy in per cent, all on one scale. What lies left of the dashed line is reached by always naming the commonest class.</p>
${legend(styles, ...(chance ? [guess] : []))}
<div class="multiples ${wide}">${sets.map((title, column) =>
    dotChart({
      id: `set-${column}`,
      title,
      rows: rows.map(({ cells }, row) => ({ style: styles[row]!, value: cells[column] ?? Number.NaN })),
      chance: chance?.[column] ?? null,
    }),
  )}</div>
</section>`
}

/** Loss, validation accuracy and learning rate of all models, in three small charts. */
export function curvesSection(report: DemoReport): Html {
  const styles = report.models.map(({ name }) => modelStyle(report, name))
  const curve = (key: 'loss' | 'lr') =>
    report.models.map((model, i) => ({
      style: styles[i]!,
      points: model.curve.map((entry) => [entry.step, entry[key]] as const),
    }))
  const validation = report.models.map((model, i) => ({
    style: styles[i]!,
    points: model.validation.map(({ epoch, top1 }) => [epoch, top1] as const),
  }))
  const charts = [
    lineChart({
      id: 'loss',
      title: 'Training loss',
      xLabel: 'training step',
      yLabel: 'cross-entropy, nats',
      series: curve('loss'),
      format: (v) => v.toFixed(2),
    }),
    lineChart({
      id: 'validation',
      title: 'Validation on the training task',
      xLabel: 'epoch',
      yLabel: 'top-1, %',
      series: validation,
      format: (v) => v.toFixed(1),
    }),
    lineChart({
      id: 'rate',
      title: 'Learning rate',
      xLabel: 'training step',
      yLabel: 'rate',
      series: curve('lr'),
      format: (v) => (v >= 0.001 || v === 0 ? String(Number(v.toPrecision(2))) : v.toExponential(0)),
    }),
  ]
  return html`<section aria-labelledby="training">
<h2 id="training">Training</h2>
<p>Losses of different models are not comparable when their classifiers or crops differ; accuracies are.</p>
${legend(styles)}
<div class="multiples three">${charts}</div>
<details><summary>Validation, epoch by epoch</summary>${report.models.map((model) => validationTable(report, model))}</details>
</section>`
}

function validationTable(report: DemoReport, { name, validation }: DemoReport['models'][number]): Html {
  const style = modelStyle(report, name)
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Validation of ${style.label}"><table>
<caption>${inlineMark(style)} ${style.label}</caption>
<thead><tr><th scope="col">Epoch</th><th scope="col">Top-1, %</th><th scope="col">Top-5, %</th><th scope="col">Loss, nats</th></tr></thead>
<tbody>${validation.map((v) => html`<tr><th scope="row">${v.epoch}</th><td>${v.top1.toFixed(1)}</td><td>${v.top5.toFixed(1)}</td><td>${v.loss.toFixed(3)}</td></tr>`)}</tbody>
</table></div>`
}

/** What each model was told to do, the differences first to be seen. */
export function recipesSection(report: DemoReport): Html {
  const { models } = report
  const keys = [...new Set(models.flatMap(({ recipe }) => Object.keys(recipe)))]
  const rows = keys.map((key) => {
    const values = models.map(({ recipe }) => recipe[key] ?? '–')
    const differs = new Set(values).size > 1
    const cells = values.map((value) => html`<td>${differs ? html`<strong>${value}</strong>` : value}</td>`)
    return html`<tr><th scope="row">${key}</th>${cells}</tr>`
  })
  const speeds = models.map(
    ({ curve }) => html`<td>${mean(curve.map((c) => c.imagesPerSecond)).toFixed(1)}</td>`,
  )
  return html`<section aria-labelledby="recipes">
<h2 id="recipes">Recipes</h2>
<div class="scroll" tabindex="0" role="region" aria-labelledby="recipes">
<table>
<caption>Settings that differ are bold.</caption>
<thead><tr><td></td>${models.map(({ name, label }) => html`<th scope="col">${inlineMark(modelStyle(report, name))} ${label}</th>`)}</tr></thead>
<tbody>${rows}
<tr class="total"><th scope="row">training time</th>${models.map(({ seconds }) => html`<td>${duration(seconds)}</td>`)}</tr>
<tr><th scope="row">images per second</th>${speeds}</tr></tbody>
</table>
</div>
</section>`
}

/** Who made what is shown, and under which terms. */
export function licencesSection({ licences }: DemoReport): Html {
  const anyShown = licences.some((work) => work.shown)
  const rows = licences.map(({ what, licence, author, url, shown }) => {
    const address = webAddress(url)
    const source = address
      ? html`<a href="${address}" rel="noreferrer">${address.replace(/^https?:\/\//, '')}</a>`
      : url
    return html`<tr><th scope="row">${what}</th><td>${author}</td><td>${licence}</td><td>${source}</td><td>${shown ? 'shown' : 'probed'}</td></tr>`
  })
  return html`<section aria-labelledby="licences">
<h2 id="licences">Pictures: authors and licences</h2>
${
  anyShown &&
  html`<p>Drawings were rendered to pixels on white; crops were also cut, resized and recoloured. All remain under
their authors’ licences, in this file too.</p>`
}
<div class="scroll" tabindex="0" role="region" aria-labelledby="licences">
<table class="text">
<thead><tr><th scope="col">Work</th><th scope="col">Author</th><th scope="col">Licence</th><th scope="col">Source</th><th scope="col">Here</th></tr></thead>
<tbody>${rows}</tbody>
</table>
</div>
</section>`
}

const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
