/** Whether the text is an address of a web server. */
export const isHttp = (text: string): boolean => /^https?:\/\//i.test(text)

/** An address as messages show it: without a user's name, password, query or fragment. Other texts stay as they are. */
export function showUrl(text: string): string {
  if (!isHttp(text)) return text
  try {
    const url = new URL(text)
    return `${url.origin}${url.pathname}${url.search === '' ? '' : '?...'}`
  } catch {
    return withoutSecrets(text)
  }
}

// A scheme, but for the one of our own that stands before paths and addresses alike.
const SCHEME = String.raw`\b(?!wds:)[a-z][a-z0-9+.-]*:`

/** A text with its addresses as they may be shown or written down: users, passwords and queries are '...'. */
export function withoutSecrets(text: string): string {
  return text
    .replaceAll(new RegExp(String.raw`(${SCHEME}/{0,2})[^\s,]*@`, 'gi'), '$1...@')
    .replaceAll(new RegExp(String.raw`(${SCHEME}//[^\s?#]*)[?#]\S+`, 'gi'), '$1?...')
}

/** Whether a text is one that `withoutSecrets` has left something out of. */
export const lacksSecrets = (text: string): boolean =>
  new RegExp(String.raw`${SCHEME}(/{0,2}\.\.\.@|//[^\s?#]*\?\.\.\.)`, 'i').test(text)

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
