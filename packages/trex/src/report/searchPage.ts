import { htmlDocument } from './document.js'
import { type Html, html, htmlText } from './html.js'
import { thumbnailUri } from './pictures.js'

/** What was found for some pictures. */
export interface SearchResults {
  readonly title: string
  readonly subtitle: string
  readonly results: readonly {
    readonly query: NamedPicture
    /** Best first. */
    readonly hits: readonly (NamedPicture & { readonly score: number })[]
  }[]
}

interface NamedPicture {
  readonly name: string
  readonly path: string
}

/** Pixels of a thumbnail's side: twice what is shown, for dense screens. */
const SIDES = { query: 288, hit: 256 } as const

/** The pictures that were found beside those that were asked for, as one HTML page; a picture that is gone is a gap. */
export async function searchPage({ title, subtitle, results }: SearchResults): Promise<string> {
  const cards = await Promise.all(
    results.map(
      async ({ query, hits }) => html`<article class="found">
<figure>${await picture(query, SIDES.query)}<figcaption title="${query.name}">${shortName(query.name)}</figcaption></figure>
<ol>${await Promise.all(
        hits.map(
          async (hit) =>
            html`<li>${await picture(hit, SIDES.hit)}<b>${hit.score.toFixed(3)}</b><span title="${hit.name}">${shortName(hit.name)}</span></li>`,
        ),
      )}</ol>
</article>`,
    ),
  )
  return htmlText(
    htmlDocument({
      title,
      style: searchStyle,
      body: html`<header><h1>${title}</h1><p class="subtitle">${subtitle}</p></header>
<main>${cards}</main>`,
    }),
  )
}

/** The last part of a path. */
const shortName = (path: string) => path.split('/').at(-1)!

async function picture({ name, path }: NamedPicture, side: number): Promise<Html> {
  const size = side / 2
  try {
    const uri = await thumbnailUri(path, side)
    return html`<img src="${uri}" width="${size}" height="${size}" alt="${name}">`
  } catch {
    return html`<span class="gone" style="width:${size}px;height:${size}px">cannot be read</span>`
  }
}

const searchStyle = `
.found { display: grid; grid-template-columns: 144px 1fr; gap: 32px; padding: 20px 0; border-top: 1px solid var(--rule); }
.found figure { margin: 0; }
.found figcaption, .found span { display: block; font-size: 12px; line-height: 1.35; color: var(--quiet); overflow-wrap: anywhere; }
.found figcaption { margin-top: 6px; }
.found ol { display: grid; grid-template-columns: repeat(auto-fill, 128px); gap: 16px; list-style: none; margin: 0; padding: 0; }
.found b { display: block; margin-top: 4px; font-size: 13px; font-variant-numeric: tabular-nums; }
.found .gone { display: grid; place-items: center; border: 1px dashed var(--rule); }
@media (max-width: 620px) { .found { grid-template-columns: 1fr; } }
`
