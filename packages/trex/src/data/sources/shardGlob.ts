import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { TrexError } from '../../errors.js'

/** Whether a path has a pattern. */
export const hasGlob = (path: string): boolean => /[*?[]/.test(path)

/**
 * The files that match a path with patterns in any of its parts, sorted by code unit: '*' any characters but '/', '?'
 * one, '[a-c]' and '[!a-c]' one of those, or none of those. A leading '.' must be matched by itself. Throws TrexError
 * where nothing matches.
 */
export async function expandGlob(pattern: string): Promise<string[]> {
  const parts = pattern.split('/')
  const isAbsolute = parts[0] === ''
  let found = [isAbsolute ? '/' : '']
  for (const [i, part] of parts.entries()) {
    if (part === '') continue
    const isLast = i === parts.length - 1
    const lists = found.map((folder) =>
      hasGlob(part) ? matches(folder, part, isLast) : [join(folder, part)],
    )
    found = (await Promise.all(lists)).flat()
    if (isLast) found = found.filter((path) => existsSync(path))
  }
  if (found.length > 0) return found.sort()
  throw new TrexError(`no file matches ${pattern}`, {
    hint: 'check the pattern, and the folder it starts in',
  })
}

async function matches(folder: string, part: string, isLast: boolean): Promise<string[]> {
  const expression = toRegExp(part)
  const entries = await readdir(folder || '.', { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
      throw new TrexError(`cannot read the folder ${folder || '.'}: ${error.message}`, { cause: error })
    },
  )
  return entries
    .filter((entry) => (isLast ? !entry.isDirectory() : !entry.isFile()) && expression.test(entry.name))
    .map((entry) => join(folder, entry.name))
}

function toRegExp(part: string): RegExp {
  const source = part.replace(/\[([!^]?)(\]?[^\]]*)\]|([\s\S])/g, (_, not, set, character) => {
    if (set !== undefined) return `[${not ? '^' : ''}${set.replace(/[\\\]^]/g, '\\$&')}]`
    if (character === '*') return '[^/]*'
    if (character === '?') return '[^/]'
    return character.replace(/[\\^$.|+()[\]{}]/g, '\\$&')
  })
  try {
    return new RegExp(`^${part.startsWith('.') ? '' : '(?!\\.)'}${source}$`, 'su')
  } catch (cause) {
    throw new TrexError(`${part} is no pattern`, { hint: 'a range in brackets goes up: [a-z]', cause })
  }
}
