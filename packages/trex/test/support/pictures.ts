import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import sharp from 'sharp'

const { icons } = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve('@iconify-json/noto/icons.json'), 'utf8'),
) as { icons: Record<string, { body: string }> }

/** A drawing of an animal as an opaque image file of `width` x `height` pixels. */
export function picture(name: string, width: number, height: number, format: 'jpeg' | 'png' = 'jpeg') {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 128 128">${icons[name]!.body}</svg>`
  return sharp(Buffer.from(svg)).flatten({ background: '#7a9' })[format]().toBuffer()
}
