import { type Dirent, existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { TrexError } from '../errors.js'

/** A run folder, and its path from the folder that was searched; `.` is that folder itself. */
export interface FoundRun {
  readonly name: string
  readonly path: string
}

const DEPTH = 3
const PARTS = ['config.yaml', 'data.json', 'metrics.jsonl', 'checkpoints']

/** Whether a folder is a run, damaged perhaps: two parts of one are there. */
const isRun = (path: string) => PARTS.filter((part) => existsSync(join(path, part))).length >= 2

/**
 * The runs in a folder and up to three levels below, by name. A folder counts once, under its own name rather than a
 * link's; hidden folders and folders that may not be read are passed over.
 * @throws TrexError when the folder itself cannot be read.
 */
export function findRuns(dir: string): FoundRun[] {
  try {
    readdirSync(dir)
  } catch (cause) {
    throw new TrexError(`cannot read ${dir}: ${(cause as Error).message}`, {
      hint: 'give a folder that holds runs: trex runs DIR',
      cause,
    })
  }
  const seen = new Set<string>()
  const found: FoundRun[] = []
  const links: (FoundRun & { depth: number })[] = []
  const visit = (name: string, path: string, depth: number) => {
    const place = realPath(path)
    if (place === null || seen.has(place)) return
    seen.add(place)
    if (isRun(path)) found.push({ name: name || '.', path })
    else if (depth < DEPTH)
      for (const entry of entries(path)) {
        const inner = { name: name ? `${name}/${entry.name}` : entry.name, path: join(path, entry.name) }
        if (entry.isDirectory()) visit(inner.name, inner.path, depth + 1)
        else if (entry.isSymbolicLink() && isFolder(inner.path)) links.push({ ...inner, depth: depth + 1 })
      }
  }
  visit('', dir, 0)
  for (const { name, path, depth } of links) visit(name, path, depth) // it grows while links lead to links
  return found.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
}

function entries(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'))
  } catch {
    return []
  }
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false // a link that leads nowhere
  }
}
