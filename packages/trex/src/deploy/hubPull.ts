import { join } from 'node:path'
import { type ListFileEntry, listFiles, modelInfo } from '@huggingface/hub'
import { TrexError } from '../errors.js'
import { globMatcher, unsafeName } from './fileNames.js'
import { credentials, type Hub, hubError, type RepoName } from './hub.js'
import { type FetchOptions, fetchFile, isThere } from './hubFile.js'

/** How far a download is, in bytes; what was there already is done. */
export interface PullProgress {
  readonly done: number
  readonly total: number
  readonly note: string
}

/** What was pulled. */
export interface Pulled {
  /** The commit whose files these are. */
  readonly commit: string
  readonly files: readonly PulledFile[]
}

/** A file in the folder; `found`: it was there already. */
export interface PulledFile {
  readonly path: string
  readonly size: number
  readonly found: boolean
}

/** What is downloaded, and how. */
export interface PullOptions extends FetchOptions {
  /** Patterns of names, see `globMatcher`; none: all files. */
  readonly patterns?: readonly string[]
  /** Replace files of the same names and other content. */
  readonly force?: boolean
}

/**
 * Downloads the files of one commit of a repository into a folder. A file appears under its name when its size and its
 * SHA-256 (of small files: git's SHA-1) are those that the hub lists; what there is of it stays beside it until then,
 * and the next call goes on from there. Rejects with TrexError for names that lead out of the folder and for other
 * files of the same names (nothing is downloaded then), patterns that fit no file, files that are not what the hub
 * lists, and a hub that refuses or is lost.
 */
export async function* pull(
  { name: repo, revision = 'main' }: RepoName,
  out: string,
  hub: Hub,
  { patterns = [], force = false, ...options }: PullOptions = {},
): AsyncGenerator<PullProgress, Pulled> {
  const { signal } = options
  try {
    const access = credentials(hub)
    const { sha: commit } = await modelInfo({ ...access, name: repo, revision, additionalFields: ['sha'] })
    const listed: ListFileEntry[] = []
    const place = { repo: { type: 'model', name: repo } as const, revision: commit, recursive: true }
    for await (const entry of listFiles({ ...access, ...place }))
      if (entry.type === 'file') listed.push(entry)
    const entries = chosen(listed, patterns, repo)
    const found = new Set<ListFileEntry>()
    for (const entry of entries) if (await isThere(join(out, entry.path), entry, force)) found.add(entry)
    const total = entries.reduce((sum, { size }) => sum + size, 0)
    let done = 0
    for (const entry of entries) {
      if (!found.has(entry))
        for await (const bytes of fetchFile(entry, out, { hub, repo, commit }, options)) {
          signal?.throwIfAborted()
          yield { done: done + bytes, total, note: entry.path }
        }
      done += entry.size
      yield { done, total, note: entry.path }
    }
    return {
      commit,
      files: entries.map((entry) => ({ path: entry.path, size: entry.size, found: found.has(entry) })),
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw hubError(error, hub, repo)
  }
}

/** The files that patterns fit, after all names have been looked at. */
function chosen(
  listed: readonly ListFileEntry[],
  patterns: readonly string[],
  repo: string,
): ListFileEntry[] {
  for (const { path, size } of listed) {
    if (typeof path !== 'string' || !Number.isSafeInteger(size) || size < 0)
      throw new TrexError(`the list of the files of ${repo} is damaged`, {
        hint: 'try again later, or use another HF_ENDPOINT',
      })
    const wrong = unsafeName(path)
    if (wrong)
      throw new TrexError(`${repo} has a file ${JSON.stringify(path)}, which ${wrong}`, {
        hint: 'nothing was downloaded: do not trust this repository',
      })
  }
  const matchers = patterns.map(globMatcher)
  const entries = listed.filter(({ path }) => matchers.length === 0 || matchers.some((fits) => fits(path)))
  if (entries.length) return entries
  const names = listed.slice(0, SHOWN).map(({ path }) => path)
  throw new TrexError(
    `${repo} has no file${patterns.length ? ` that is like ${patterns.join(' or ')}` : ''}`,
    {
      hint: names.length
        ? `it has ${names.join(', ')}${listed.length > SHOWN ? ', ...' : ''}`
        : 'it is empty',
    },
  )
}

const SHOWN = 12
