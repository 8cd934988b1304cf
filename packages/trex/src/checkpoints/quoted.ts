const LONGEST = 80
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Text of a file for a message: in quotes, on one line, with what is not seen as escapes; of a long one the beginning. */
export function quoted(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text
  return JSON.stringify(short).replace(UNSEEN, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`)
}
