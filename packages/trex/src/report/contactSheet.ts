import sharp, { type OverlayOptions } from 'sharp'
import type { Augmentation } from '../data/pixels/augment.js'
import type { RgbImage } from '../data/pixels/image.js'

/** What a recipe feeds of some images. */
export interface ContactSheet {
  readonly title: string
  readonly subtitle: string
  /** Names of the crop groups, globals first. */
  readonly groups: readonly string[]
  readonly rows: readonly SheetRow[]
}

/** One image and its crops. */
export interface SheetRow {
  readonly title: string
  readonly image: RgbImage
  /** The crops of each group. */
  readonly crops: readonly (readonly SheetCrop[])[]
}

/** One crop and what was drawn for it. */
export interface SheetCrop {
  readonly image: RgbImage
  readonly drawn: Augmentation
}

/** Colours of the groups' frames, told apart by those who see few colours. */
export const GROUP_COLORS = ['#0b5cad', '#b34e00', '#6a4a9c', '#12744a', '#8a6d00'] as const
export const groupColor = (group: number) => GROUP_COLORS[group % GROUP_COLORS.length]!

const SIDE = 224
const GAP = 8
const MARGIN = 24
const CAPTION = 24
const HEADER = 64

/** The sheet as a PNG: the whole image with the crops' boxes, then the crops as they are fed. */
export async function contactSheetPng(sheet: ContactSheet): Promise<Buffer> {
  const rows = sheet.rows.map((row) => layOut(row))
  const width = Math.max(640, ...rows.map(({ right }) => right + MARGIN))
  const rowHeight = CAPTION + SIDE + 2 * GAP
  const height = HEADER + rows.length * rowHeight + MARGIN
  const layers: OverlayOptions[] = []
  const texts = [
    text(sheet.title, MARGIN, 32, 18, '#1b2026', 600),
    text(sheet.subtitle, MARGIN, 52, 13, '#58616b'),
  ]
  for (const [i, { row, cells }] of rows.entries()) {
    const top = HEADER + i * rowHeight
    texts.push(text(row.title, MARGIN, top + 15, 13, '#1b2026'))
    const whole = await fit(row)
    layers.push({ input: whole, left: MARGIN, top: top + CAPTION })
    for (const { crop, left, y, side, group } of cells) {
      layers.push({ input: await enlarge(crop.image, side), left, top: top + CAPTION + y })
      texts.push(frame(left - 2, top + CAPTION + y - 2, side + 4, side + 4, groupColor(group), 2))
    }
  }
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${texts.join('')}</svg>`
  layers.push({ input: Buffer.from(drawing), left: 0, top: 0 })
  return sharp({ create: { width, height, channels: 3, background: '#ffffff' } })
    .composite(layers)
    .png({ compressionLevel: 6 })
    .toBuffer()
}

interface Cell {
  crop: SheetCrop
  group: number
  left: number
  y: number
  side: number
}

/** Places a row's crops: each group in as many lines as fit beside the whole image. */
function layOut(row: SheetRow): { row: SheetRow; cells: Cell[]; right: number } {
  const largest = Math.max(...row.crops.flat().map(({ image }) => image.width))
  const zoom = Math.max(1, Math.floor(SIDE / largest))
  const cells: Cell[] = []
  let left = MARGIN + SIDE + 3 * GAP
  for (const [group, crops] of row.crops.entries()) {
    const side = Math.min(SIDE, (crops[0]?.image.width ?? 0) * zoom)
    const lines = Math.max(1, Math.floor((SIDE + GAP) / (side + GAP)))
    const columns = Math.ceil(crops.length / lines)
    for (const [i, crop] of crops.entries()) {
      const [line, column] = [Math.floor(i / columns), i % columns]
      cells.push({ crop, group, left: left + column * (side + GAP), y: line * (side + GAP), side })
    }
    left += columns * (side + GAP) + 2 * GAP
  }
  return { row, cells, right: left }
}

/** The whole image in a square, with the box of each crop. */
async function fit({ image, crops }: SheetRow): Promise<Buffer> {
  const scale = SIDE / Math.max(image.width, image.height)
  const [width, height] = [image.width, image.height].map((side) => Math.max(1, Math.round(side * scale)))
  const boxes = boxesSvg(image, crops, width!, height!)
  return raw(image)
    .resize(width, height, { fit: 'fill' })
    .composite([{ input: Buffer.from(boxes), left: 0, top: 0 }])
    .png()
    .toBuffer()
}

/** An SVG of `width` x `height` with the box of each crop, the first group's on top. */
export function boxesSvg(image: RgbImage, crops: SheetRow['crops'], width: number, height: number): string {
  const [x, y] = [width / image.width, height / image.height]
  const frames = crops.flatMap((group, g) =>
    group.map(({ drawn: { box } }) =>
      frame(box.left * x, box.top * y, box.width * x, box.height * y, groupColor(g), g === 0 ? 2.5 : 1.5),
    ),
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${frames.reverse().join('')}</svg>`
}

async function enlarge(image: RgbImage, side: number): Promise<Buffer> {
  return raw(image).resize(side, side, { kernel: 'nearest', fit: 'fill' }).png().toBuffer()
}

const raw = ({ data, width, height }: RgbImage) => sharp(data, { raw: { width, height, channels: 3 } })

function frame(x: number, y: number, width: number, height: number, color: string, stroke: number): string {
  const half = stroke / 2
  return `<rect x="${x + half}" y="${y + half}" width="${Math.max(0, width - stroke)}" height="${Math.max(0, height - stroke)}" fill="none" stroke="${color}" stroke-width="${stroke}"/>`
}

function text(content: string, x: number, y: number, size: number, color: string, weight = 400): string {
  const escaped = content.replaceAll(/[&<>\p{Cc}\p{Cs}\ufffe\uffff]/gu, (c) =>
    /[&<>]/.test(c) ? `&#${c.codePointAt(0)};` : '\ufffd',
  )
  return `<text x="${x}" y="${y}" font-family="system-ui, DejaVu Sans, Arial, sans-serif" font-size="${size}" font-weight="${weight}" fill="${color}">${escaped}</text>`
}
