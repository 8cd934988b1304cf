import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findPackage } from './packages.js'

/** One emoji in every style's own drawing: the six sets of which the demo is made. */
export const emojiStyles = [
  'noto',
  'noto-v1',
  'openmoji',
  'fluent-emoji-flat',
  'twemoji',
  'emojione',
] as const

/** The name of one set of drawings. */
export type EmojiStyle = (typeof emojiStyles)[number]

/** One drawing: the inside of an SVG element and the size of its view box. */
export interface Icon {
  body: string
  left: number
  top: number
  width: number
  height: number
}

/** A set of drawings as its package holds it, and the terms under which it may be shown. */
export interface IconSet {
  style: EmojiStyle
  version: string
  name: string
  licence: string
  author: string
  url: string
  icons: Map<string, Icon>
  /** Another name -> the name in `icons`; aliases that mirror or turn a drawing are left out. */
  aliases: Map<string, string>
  /** The name in `icons` -> its Unicode group, such as `Food & Drink`. */
  groups: Map<string, string>
}

interface IconsFile {
  width?: number
  height?: number
  icons: Record<string, { body: string; hidden?: boolean } & Partial<Icon>>
  aliases?: Record<string, { parent: string; hFlip?: boolean; vFlip?: boolean; rotate?: number }>
}
interface InfoFile {
  name: string
  author: { name: string; url: string }
  license: { title: string; spdx?: string }
}

/**
 * Reads one style's drawings from its npm package (Iconify JSON).
 * @throws TrexError naming the `npm install` line when the package is not there
 */
export async function loadIconSet(style: EmojiStyle, searchFrom?: readonly string[]): Promise<IconSet> {
  const { folder, version } = await findPackage(`@iconify-json/${style}`, searchFrom)
  const read = async (file: string) => JSON.parse(await readFile(join(folder, file), 'utf8')) as unknown
  const file = (await read('icons.json')) as IconsFile
  const info = (await read('info.json')) as InfoFile
  const { categories } = (await read('metadata.json')) as { categories: Record<string, string[]> }

  const icons = new Map<string, Icon>()
  for (const [name, icon] of Object.entries(file.icons)) {
    if (icon.hidden) continue
    const { body, left = 0, top = 0, width = file.width ?? 16, height = file.height ?? 16 } = icon
    icons.set(name, { body, left, top, width, height })
  }
  const aliases = new Map<string, string>()
  for (const [name, alias] of Object.entries(file.aliases ?? {})) {
    const changed = alias.hFlip || alias.vFlip || alias.rotate
    if (!changed && icons.has(alias.parent)) aliases.set(name, alias.parent)
  }
  const groups = new Map(Object.entries(categories).flatMap(([group, names]) => names.map((n) => [n, group])))
  const licence = info.license.spdx ?? info.license.title
  const { name: author, url } = info.author
  return { style, version, name: info.name, licence, author, url, icons, aliases, groups }
}
