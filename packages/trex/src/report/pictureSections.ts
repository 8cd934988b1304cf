import { type Html, html } from './html.js'
import { inlineMark, modelStyle } from './modelStyle.js'
import { pictureUri, thumbnailUri } from './pictures.js'
import type { DemoReport, ReportCrops, ReportNeighbours } from './report.js'

/** Pixels of a thumbnail's side: twice what is shown, for dense screens. */
const thumbnail = { large: 192, small: 136 }

/** What the encoder was fed: each picture, its global crops and its local crops, to scale. */
export async function cropsSection(report: DemoReport): Promise<Html | false> {
  if (report.crops.length === 0) return false
  return html`<section aria-labelledby="crops">
<h2 id="crops">What the encoder sees</h2>
<p>Every picture is fed as a few crops, cut and recoloured anew each time; all of them must be recognised as
the same class. Global crops hold much of the picture, local crops little.</p>
<div class="sheets">${await Promise.all(report.crops.map(cropSheet))}</div>
${credits(report)}
</section>`
}

async function cropSheet({ path, label, global, local }: ReportCrops): Promise<Html> {
  const original = await thumbnailUri(path, thumbnail.large)
  const largest = Math.max(...[...global, ...local].map(({ width }) => width))
  // To scale among the crops, none so small that nothing is seen.
  const shown = (width: number) => Math.round(Math.max(40, (96 * width) / largest))
  const strip = async (kind: string, pictures: ReportCrops['global']) => {
    // Many crops stand in two equal rows.
    const columns = pictures.length > 4 ? Math.ceil(pictures.length / 2) : pictures.length
    const width = columns * (shown(pictures[0]?.width ?? 0) + 6)
    const images = await Promise.all(
      pictures.map(async (picture, i) => {
        const side = shown(picture.width)
        return html`<img src="${await pictureUri(picture)}" width="${side}" height="${side}" alt="${kind} crop ${i + 1}">`
      }),
    )
    return html`<div class="strip"><h4>${kind}</h4><div class="images" style="max-width: ${width}px">${images}</div></div>`
  }
  return html`<article class="sheet">
<h3>${label}</h3>
<div class="strips">
<div class="strip"><h4>picture</h4><div class="images"><img src="${original}" width="96" height="96" alt="${label}, whole"></div></div>
${await strip('global', global)}
${await strip('local', local)}
</div>
</article>`
}

/** The nearest pictures to a query in each model's features, right and wrong ones framed differently. */
export async function neighboursSection(report: DemoReport): Promise<Html | false> {
  if (report.neighbours.length === 0) return false
  const byQuery = new Map<string, ReportNeighbours[]>()
  for (const entry of report.neighbours) {
    byQuery.set(entry.query.path, [...(byQuery.get(entry.query.path) ?? []), entry])
  }
  return html`<section aria-labelledby="neighbours">
<h2 id="neighbours">Nearest neighbours</h2>
<p>The pictures whose features are most similar to a query’s, by cosine. A tick and a solid green frame mark
the same class; a cross and a dashed red frame another.</p>
<div class="queries">${await Promise.all([...byQuery.values()].map((entries) => queryCard(report, entries)))}</div>
${credits(report)}
</section>`
}

async function queryCard(report: DemoReport, entries: readonly ReportNeighbours[]): Promise<Html> {
  const { path, label } = entries[0]!.query
  const rows = entries.map(async ({ model, hits }) => {
    const style = modelStyle(report, model)
    const right = hits.filter(({ correct }) => correct).length
    return html`<div class="answer">
<h4>${inlineMark(style)} ${style.label} <span class="score">${right} of ${hits.length}</span></h4>
<ol class="hits">${await Promise.all(hits.map(hitItem))}</ol>
</div>`
  })
  return html`<article class="query">
<div class="asked"><img src="${await thumbnailUri(path, thumbnail.large)}" width="96" height="96" alt="query: ${label}"><h3>${label}</h3></div>
<div class="answers">${await Promise.all(rows)}</div>
</article>`
}

async function hitItem({
  path,
  label,
  correct,
  similarity,
}: ReportNeighbours['hits'][number]): Promise<Html> {
  const verdict = correct ? 'same class' : 'another class'
  return html`<li class="${correct ? 'right' : 'wrong'}">
<span class="frame"><img src="${await thumbnailUri(path, thumbnail.small)}" width="68" height="68" alt="${label}, ${verdict}"><span class="verdict" aria-hidden="true">${correct ? '✓' : '✗'}</span></span>
<span class="similarity">${similarity.toFixed(2)}</span>
<span class="name" aria-hidden="true">${label}</span>
</li>`
}

/** The credit line beside the pictures of others. */
function credits({ licences }: DemoReport): Html | false {
  const shown = licences.filter((work) => work.shown)
  if (shown.length === 0) return false
  const works = shown.map(({ what, author, licence }) => `${what} (${author}, ${licence})`)
  return html`<p class="credits">Pictures: ${works.join('; ')}. <a href="#licences">Sources and terms</a>.</p>`
}
