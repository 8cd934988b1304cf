/** Why a file of a repository may not be written under its name; null where it may. Names have slashes between parts. */
export function unsafeName(name: string): string | null {
  const parts = name.split('/')
  if (parts.some((part) => part === '..' || part === '.' || part === '')) return 'leads out of the folder'
  if (/[\\:]/.test(name)) return 'may lead out of the folder on some systems'
  if (/[\p{Cc}\p{Bidi_Control}]/u.test(name)) return 'has control characters in its name'
  if (parts.some((part) => Buffer.byteLength(part) > MOST_BYTES)) return 'has too long a name'
  if (parts.some((part) => part.toLowerCase() === '.git')) return 'would change a repository of git'
  return null
}

/** What file systems allow. */
const MOST_BYTES = 255

/**
 * Whether a name is like a pattern: `*` is anything within a part, `**` anything, `?` one character. A pattern without a
 * slash is compared with the last part.
 */
export function globMatcher(pattern: string): (name: string) => boolean {
  const source = pattern.replace(/\*\*\/?|\*|\?|[^\w]/g, (piece) => {
    if (piece === '**') return '.*'
    if (piece === '**/') return '(?:.*/)?'
    if (piece === '*') return '[^/]*'
    return piece === '?' ? '[^/]' : `\\u{${piece.codePointAt(0)!.toString(16)}}`
  })
  const regex = new RegExp(`^${source}$`, 'su')
  return (name) => regex.test(pattern.includes('/') ? name : name.slice(name.lastIndexOf('/') + 1))
}
