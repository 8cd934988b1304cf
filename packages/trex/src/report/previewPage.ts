import { boxesSvg, type ContactSheet, groupColor, type SheetCrop, type SheetRow } from './contactSheet.js'
import { htmlDocument } from './document.js'
import { type Html, html, htmlText, trusted } from './html.js'
import { pictureUri } from './pictures.js'

/** The sheet as one HTML page: what was drawn for each crop stands below it. */
export async function previewPage(sheet: ContactSheet): Promise<string> {
  const rows = await Promise.all(sheet.rows.map((row) => sheetRow(row, sheet.groups)))
  return htmlText(
    htmlDocument({
      title: sheet.title,
      style: previewStyle,
      body: html`<header><h1>${sheet.title}</h1><p class="subtitle">${sheet.subtitle}</p></header>
<main>${rows}</main>`,
    }),
  )
}

async function sheetRow(row: SheetRow, groups: readonly string[]): Promise<Html> {
  const { width, height } = row.image
  const scale = 320 / Math.max(width, height)
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)]
  const strips = row.crops.map(async (crops, g) => {
    const figures = await Promise.all(crops.map((crop) => figure(crop, g)))
    return html`<div class="group"><h3><span class="key" style="background:${groupColor(g)}"></span>${groups[g]}</h3><div class="crops">${figures}</div></div>`
  })
  return html`<section><h2>${row.title}</h2>
<div class="row"><div class="whole" style="width:${w}px;height:${h}px"><img src="${await pictureUri(row.image)}" width="${w}" height="${h}" alt="the whole image, ${width} x ${height} pixels">${trusted(boxesSvg(row.image, row.crops, w, h))}</div>
<div class="groups">${await Promise.all(strips)}</div></div>
</section>`
}

async function figure({ image, drawn }: SheetCrop, group: number): Promise<Html> {
  const side = Math.max(64, image.width)
  const lines = describe(drawn).map((line) => html`<span>${line}</span>`)
  return html`<figure style="width:${Math.max(96, side)}px"><img src="${await pictureUri(image)}" width="${side}" height="${side}" style="outline:2px solid ${groupColor(group)}" alt="crop"><figcaption>${lines}</figcaption></figure>`
}

const JITTER = ['brightness', 'contrast', 'saturation', 'hue'] as const

/** What was drawn for a crop, in words, in the order it is applied. */
export function describe({ box, flip, jitter, gray, blur, solarize }: SheetCrop['drawn']): string[] {
  const changes = jitter
    ? Array.from(jitter.order, (change) => {
        const name = JITTER[change]!
        return `${name} ${name === 'hue' && jitter.hue >= 0 ? '+' : ''}${jitter[name].toFixed(2)}`
      })
    : []
  return [
    `${box.width} x ${box.height} at ${box.left}, ${box.top}`,
    ...(flip ? ['flip'] : []),
    ...changes,
    ...(gray ? ['grey'] : []),
    ...(blur === null ? [] : [`blur ${blur.toFixed(2)}`]),
    ...(solarize === null ? [] : [`solarise from ${solarize}`]),
  ]
}

const previewStyle = `
.row { display: flex; flex-wrap: wrap; gap: 24px; }
.whole { position: relative; flex: none; }
.whole svg { position: absolute; inset: 0; }
.groups { flex: 1 1 480px; display: grid; gap: 16px; }
.key { display: inline-block; width: 12px; height: 12px; margin-right: 8px; border-radius: 3px; }
.crops { display: flex; flex-wrap: wrap; gap: 12px; margin-top: 8px; }
.crops img { display: block; image-rendering: pixelated; }
figcaption { margin-top: 6px; font-size: 12px; line-height: 1.35; color: var(--quiet); }
figcaption span { display: block; }
`
