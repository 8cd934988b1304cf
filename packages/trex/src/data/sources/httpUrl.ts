/** Whether the text is an address of a web server. */
export const isHttp = (text: string): boolean => /^https?:\/\//i.test(text)

/** An address as messages show it: without a user's name, password, query or fragment. Other texts stay as they are. */
export function showUrl(text: string): string {
  if (!isHttp(text)) return text
  try {
    const url = new URL(text)
    return `${url.origin}${url.pathname}${url.search === '' ? '' : '?...'}`
  } catch {
    return text.replace(/\/\/[^/]*@/, '//').replace(/[?#].*$/s, '?...')
  }
}

/** A text with its addresses as they may be written down: users, passwords and queries are '...'. */
export const withoutSecrets = (text: string): string =>
  text
    .replaceAll(/(https?:\/\/)[^/@\s,]*@/gi, '$1...@')
    .replaceAll(/(https?:\/\/[^\s,?]*\?)[^\s,]+/gi, '$1...')

/** Whether a text is one that `withoutSecrets` has left something out of. */
export const lacksSecrets = (text: string): boolean => /https?:\/\/(\.\.\.@|[^\s,?]*\?\.\.\.)/i.test(text)

/** An address without its user and password, and the header that stands for them: fetch takes none in an address. */
export function splitCredentials(text: string): { url: string; headers: Record<string, string> } {
  const url = new URL(text)
  if (url.username === '' && url.password === '') return { url: url.href, headers: {} }
  const user = `${decoded(url.username)}:${decoded(url.password)}`
  url.username = ''
  url.password = ''
  return { url: url.href, headers: { authorization: `Basic ${Buffer.from(user).toString('base64')}` } }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
