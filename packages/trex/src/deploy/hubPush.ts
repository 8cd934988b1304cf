import { lstatSync, readdirSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createRepo, HubApiError, modelInfo, uploadFilesWithProgress } from '@huggingface/hub'
import { TrexError } from '../errors.js'
import { credentials, type Hub, hubError } from './hub.js'

/** How far an upload is. */
export interface PushProgress {
  /** Bytes of files that have been sent or found to be there. */
  readonly done: number
  readonly total: number
  readonly note: string
}

/** What was pushed. */
export interface Pushed {
  readonly files: readonly string[]
  readonly bytes: number
  readonly commit: string
  readonly url: string
}

interface LocalFile {
  readonly path: string
  readonly name: string
  readonly size: number
}

/**
 * Puts the files of a folder into a repository of a model in one commit, after making it where it is not there yet: all
 * of them are seen at once, or none. Names that begin with a dot are left out but for .gitattributes.
 * Rejects with TrexError for an empty folder, links in it, a hub that refuses or is not reached, and a repository that
 * is public where a private one is asked for.
 */
export async function* push(
  dir: string,
  repo: string,
  hub: Hub,
  { isPrivate, signal }: { isPrivate: boolean; signal?: AbortSignal },
): AsyncGenerator<PushProgress, Pushed> {
  const files = localFiles(dir)
  const total = files.reduce((sum, { size }) => sum + size, 0)
  try {
    yield { done: 0, total, note: 'asking for the repository' }
    await ensureRepo(repo, hub, isPrivate)
    const upload = uploadFilesWithProgress({
      ...credentials(hub),
      repo: { type: 'model', name: repo },
      files: files.map(({ path, name }) => ({ path: name, content: pathToFileURL(path) })),
      commitTitle: `Add ${files.length} files with trex`,
      ...(signal && { abortSignal: signal }),
    })
    const shares = new Map<string, number>()
    for (;;) {
      const { value, done } = await upload.next()
      signal?.throwIfAborted()
      if (done) {
        const { oid, url } = value!.commit
        return { files: files.map(({ name }) => name), bytes: total, commit: oid, url }
      }
      if (value.event === 'phase') continue
      if (value.state === 'uploading') shares.set(value.path, value.progress)
      const sent = files.reduce((sum, { name, size }) => sum + size * (shares.get(name) ?? 0), 0)
      yield { done: Math.round(sent), total, note: `${value.state} ${value.path}` }
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw hubError(error, hub, repo)
  }
}

/** Makes the repository, unless it is there. */
async function ensureRepo(repo: string, hub: Hub, isPrivate: boolean): Promise<void> {
  const { hubUrl, accessToken } = credentials(hub)
  if (!accessToken)
    throw new TrexError('pushing needs a token', {
      hint: 'set HF_TOKEN to one with write access, from huggingface.co/settings/tokens',
    })
  const designation = { type: 'model', name: repo } as const
  try {
    await createRepo({ repo: designation, visibility: isPrivate ? 'private' : 'public', accessToken, hubUrl })
  } catch (error) {
    if (!(error instanceof HubApiError && error.statusCode === 409)) throw error
    if (!isPrivate) return
    const info = await modelInfo({ name: repo, accessToken, hubUrl })
    if (!info.private)
      throw new TrexError(`${repo} is there already, and is public`, {
        hint: 'make it private at its settings, leave out --private, or choose another name',
      })
  }
}

function localFiles(dir: string): LocalFile[] {
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory())
    throw new TrexError(`there is no folder ${dir}`, {
      hint: 'give the folder that `trex export --out` made',
    })
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.split(sep).every((part) => !part.startsWith('.') || part === '.gitattributes'))
    .sort()
    .flatMap((name): LocalFile[] => {
      const path = join(dir, name)
      const stats = lstatSync(path)
      if (stats.isSymbolicLink())
        throw new TrexError(`${path} is a link, which is not followed`, { hint: 'put the file itself there' })
      if (!stats.isFile()) return []
      return [{ path, name: relative(dir, path).split(sep).join('/'), size: stats.size }]
    })
  if (files.length === 0)
    throw new TrexError(`${dir} holds no files`, { hint: 'give the folder that `trex export --out` made' })
  return files
}
