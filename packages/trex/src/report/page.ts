import { type Html, html, trusted } from './html.js'
import { cropsSection, neighboursSection } from './pictureSections.js'
import type { DemoReport } from './report.js'
import {
  curvesSection,
  licencesSection,
  recipesSection,
  resultsSection,
  transferSection,
} from './sections.js'
import { styleSheet } from './style.js'

/** Nothing may be loaded: pictures are data: URIs, and the one style sheet is inline. */
const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

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
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${trusted(styleSheet)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="subtitle">${subtitle}</p>
<p class="meta"><span>${date}</span><span>${engine}</span></p>
</header>
<main>
${sections}
</main>
</body>
</html>
`
}
