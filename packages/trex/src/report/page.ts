import { htmlDocument } from './document.js'
import { type Html, html } from './html.js'
import { cropsSection, neighboursSection } from './pictureSections.js'
import type { DemoReport } from './report.js'
import {
  curvesSection,
  licencesSection,
  recipesSection,
  resultsSection,
  transferSection,
} from './sections.js'

/** The whole document. */
export async function page(report: DemoReport): Promise<Html> {
  const { title, subtitle, date, engine } = report
  const sections = [
    resultsSection(report),
    transferSection(report),
    curvesSection(report),
    await cropsSection(report),
    await neighboursSection(report),
    recipesSection(report),
    licencesSection(report),
  ]
  return htmlDocument({
    title,
    body: html`<header>
<h1>${title}</h1>
<p class="subtitle">${subtitle}</p>
<p class="meta"><span>${date}</span><span>${engine}</span></p>
</header>
<main>
${sections}
</main>`,
  })
}
