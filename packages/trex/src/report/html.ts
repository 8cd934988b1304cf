const markup = Symbol('markup')

/** A piece of HTML or SVG that is safe to insert as it is. */
export interface Html {
  readonly [markup]: string
}

/** What may stand in a template: text and numbers are escaped, `Html` is not, lists are joined. */
export type HtmlValue = Html | string | number | false | null | undefined | readonly HtmlValue[]

/** A template tag that escapes everything but markup made by itself, in text and quoted attributes alike. */
export function html(literals: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return { [markup]: literals.reduce((out, literal, i) => out + render(values[i - 1]) + literal) }
}

/** Marks text as markup without escaping it: for constants of this program only. */
export const trusted = (text: string): Html => ({ [markup]: text })

/** The text of a piece of HTML. */
export const htmlText = (piece: Html): string => piece[markup]

/** The address if it is an http(s) one, else undefined: no other scheme becomes a link. */
export function webAddress(url: string): string | undefined {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) ? url : undefined
}

function render(value: HtmlValue): string {
  if (value === null || value === undefined || value === false) return ''
  if (typeof value === 'object') return markup in value ? value[markup] : value.map(render).join('')
  return escapeText(String(value))
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escapeText = (text: string) => text.replaceAll(/[&<>"']/g, (character) => entities[character]!)
