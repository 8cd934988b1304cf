/** Text of others as it stands in a line of Markdown: nothing in it has a meaning there, and it does not end the line. */
export const escaped = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/gu, ' ')
    .replace(/[\\`*_[\]<>#|~&:@$]/g, (sign) =>
      ENTITIES.has(sign) ? `&#${sign.charCodeAt(0)};` : `\\${sign}`,
    )

/** What a backslash is not enough for: HTML, and addresses that are made links. */
const ENTITIES = new Set(['<', '>', '&', ':', '@'])

/** A block of code, which no text inside ends. */
export function fenced(language: string, code: string): string {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${code.trimEnd()}\n${fence}`
}

/** A table; its cells are Markdown already. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
