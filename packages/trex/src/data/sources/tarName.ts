/** A member's name, checked. */
export interface TarName {
  /** With '/' between its parts, without './' and '//'; where it has a problem, in a form that can be shown. */
  readonly name: string
  /** Why the name is not used: "its name is absolute". */
  readonly problem?: string
}

const MAX_NAME_BYTES = 4096
const MAX_PARTS = 100
const SHOWN_START = 150
const SHOWN_END = 50
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Checks a name: UTF-8, relative, without '..', '\', a drive letter, NUL or other control characters, of at
 * most 4,096 bytes and 100 parts. A name that is not all of that is never repaired.
 */
export function readTarName(bytes: Uint8Array): TarName {
  if (bytes.length === 0) return { name: '(no name)', problem: 'its name is empty' }
  if (bytes.length > MAX_NAME_BYTES) {
    const problem = `its name has ${bytes.length.toLocaleString('en')} bytes`
    return { name: shownBytes(bytes), problem }
  }
  let name: string
  try {
    name = utf8.decode(bytes)
  } catch {
    return { name: shownBytes(bytes), problem: 'its name is not UTF-8' }
  }
  const problem = problemOf(name)
  if (problem !== null) return { name: shown(name), problem }
  return { name: isClean(name) ? name : partsOf(name).join('/') }
}

function problemOf(name: string): string | null {
  if (name.includes('\0')) return 'its name has a NUL byte'
  if (/\p{Cc}/u.test(name)) return 'its name has control characters'
  if (name.startsWith('/')) return 'its name is absolute'
  if (name.includes('\\')) return "its name has a '\\'"
  if (/^[a-z]:/i.test(name)) return 'its name starts with a drive letter'
  if (name.includes('..') && name.split('/').includes('..')) return "its name has '..' as a part"
  const parts = name.split('/').length
  return parts > MAX_PARTS ? `its name has ${parts} parts` : null
}

const isClean = (name: string) => !name.includes('//') && !/(^|\/)\.(\/|$)/.test(name) && !name.endsWith('/')
const partsOf = (name: string) => name.split('/').filter((part) => part !== '' && part !== '.')

/** Safe to print: bytes that are no text as \xNN, the middle of long names left out; the extension stays. */
function shown(name: string, noText = /\p{Cc}/gu): string {
  const isLong = name.length > SHOWN_START + SHOWN_END
  const text = isLong ? `${name.slice(0, SHOWN_START)}...${name.slice(-SHOWN_END)}` : name
  return text.replace(noText, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/** As `shown`, of bytes that are not UTF-8. */
const shownBytes = (bytes: Uint8Array) =>
  shown(Buffer.from(bytes).toString('latin1'), /[\p{Cc}\u0080-\u00ff]/gu)
