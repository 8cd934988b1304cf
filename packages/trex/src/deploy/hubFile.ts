import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  createReadStream,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileDownloadInfo, HubApiError, type ListFileEntry } from '@huggingface/hub'
import { TrexError } from '../errors.js'
import { credentials, type Hub } from './hub.js'

/** How a download goes on after the connection is lost. */
export interface FetchOptions {
  readonly signal?: AbortSignal
  /** Times that a file is tried again without a byte more; default 4. */
  readonly retries?: number
  /** Milliseconds before the first of them; each next is twice as long. Default 500. */
  readonly delay?: number
}

/** The commit that a file is of. */
export interface HubCommit {
  readonly hub: Hub
  readonly repo: string
  readonly commit: string
}

/** Whether a file is there with the content that is listed. @throws TrexError for another file, unless it may be replaced. */
export async function isThere(path: string, entry: ListFileEntry, force: boolean): Promise<boolean> {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats) return false
  if (stats.isFile() && stats.size === entry.size && (await hasContent(path, entry))) return true
  if (stats.isFile() && force) return false
  throw new TrexError(`${path} is there already, and is something else`, {
    hint: stats.isFile() ? 'choose another --out, or replace it with --force' : 'choose another --out',
  })
}

/**
 * Downloads a file into a folder, going on with what is there of it from an earlier time; yields how many bytes are there. Throws
 * TrexError for other content than is listed and links that lead out of the folder, errors of the library and of the disk.
 */
export async function* fetchFile(
  entry: ListFileEntry,
  out: string,
  from: HubCommit,
  { signal, retries = 4, delay = 500 }: FetchOptions,
): AsyncGenerator<number> {
  const path = join(out, entry.path)
  const folder = dirname(path)
  makeFolder(folder)
  requireInside(folder, out)
  const partial = join(folder, `.${contentOf(entry).hex.slice(0, 16)}.part`)
  const begun = lstatSync(partial, { throwIfNoEntry: false })
  if (begun && !begun.isFile()) throw elsewhere(partial)
  let at = begun?.size ?? 0
  const file = openSync(partial, APPEND)
  try {
    for (let failures = 0; at < entry.size; ) {
      const before = at
      try {
        for await (const bytes of rest(entry, at, from, signal)) {
          if (at + bytes.length > entry.size) throw wrongSize(entry, 'more')
          for (let sent = 0; sent < bytes.length; ) sent += writeSync(file, bytes, sent)
          yield (at += bytes.length)
        }
        if (at < entry.size)
          throw new LostConnection(`${entry.path} ended after ${at} of ${entry.size} bytes`)
      } catch (error) {
        signal?.throwIfAborted()
        failures = at > before ? 0 : failures + 1
        if (!isPassing(error) || failures > retries) throw error
        await sleep(delay * 2 ** Math.max(0, failures - 1), undefined, signal ? { signal } : {})
      }
    }
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  if (at !== entry.size || !(await hasContent(partial, entry))) {
    rmSync(partial)
    throw new TrexError(
      `${entry.path} is not what ${from.hub.url} lists: its ${contentOf(entry).name} is another`,
      {
        hint: 'try again; if it stays so, the server or something on the way changes files',
      },
    )
  }
  renameSync(partial, path)
}

/** The bytes of a file from a place on. */
async function* rest(
  { path, size }: ListFileEntry,
  at: number,
  { hub, repo, commit }: HubCommit,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const info = await fileDownloadInfo({
    ...credentials(hub),
    repo: { type: 'model', name: repo },
    path: path.split('/').map(encodeURIComponent).join('/'),
    revision: commit,
  })
  if (!info) throw new TrexError(`${path} is listed, but not there`, { hint: 'try again later' })
  if (info.size !== size) throw wrongSize({ path, size }, `${info.size}`)
  const ours = hub.token !== null && new URL(info.url).origin === new URL(hub.url).origin
  const response = await fetch(info.url, {
    headers: { range: `bytes=${at}-`, ...(ours && { authorization: `Bearer ${hub.token}` }) },
    ...(signal && { signal }),
  })
  const given = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1]
  if (response.status === 206 && given === `${at}`)
    return yield* response.body as unknown as AsyncIterable<Uint8Array>
  await response.body?.cancel()
  if (!response.ok) throw new HubApiError(info.url, response.status)
  throw new TrexError(
    `${hub.url} does not give parts of files: it answers ${response.status} to ${path} from byte ${at} on`,
    {
      hint: 'use another HF_ENDPOINT',
    },
  )
}

const wrongSize = ({ path, size }: Pick<ListFileEntry, 'path' | 'size'>, given: string) =>
  new TrexError(`${path} has ${given} bytes, not ${size} as it is listed`, {
    hint: 'the server contradicts itself: try again later',
  })

class LostConnection extends Error {}

/** Whether an error may be gone at the next try. */
function isPassing(error: unknown): boolean {
  if (error instanceof HubApiError) return error.statusCode === 429 || error.statusCode >= 500
  const system = (error as NodeJS.ErrnoException).syscall !== undefined
  return !(error instanceof TrexError) && !system
}

/** What tells the content of a listed file: SHA-256 of large ones, of others git's SHA-1. */
function contentOf({ lfs, oid, path }: ListFileEntry): {
  algorithm: 'sha256' | 'sha1'
  name: string
  hex: string
} {
  const hex = lfs?.oid ?? oid ?? ''
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hex))
    throw new TrexError(`the hub does not tell the content of ${path}`, { hint: 'use another HF_ENDPOINT' })
  return lfs ? { algorithm: 'sha256', name: 'SHA-256', hex } : { algorithm: 'sha1', name: "git's SHA-1", hex }
}

async function hasContent(path: string, entry: ListFileEntry): Promise<boolean> {
  const { algorithm, hex } = contentOf(entry)
  const hash = createHash(algorithm)
  if (algorithm === 'sha1') hash.update(`blob ${statSync(path).size}\0`)
  for await (const bytes of createReadStream(path)) hash.update(bytes as Uint8Array)
  return hash.digest('hex') === hex
}

/** Links are not followed. */
const APPEND = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0)

const elsewhere = (path: string) =>
  new TrexError(`${path} leads elsewhere by a link: nothing is written there`, {
    hint: 'remove the link, or choose another --out',
  })

/** A folder of the repository may be there as a link. @throws TrexError when it leads out of `out`. */
function requireInside(folder: string, out: string): void {
  const [inner, outer] = [realpathSync(folder), realpathSync(out)]
  if (inner !== outer && !inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)) throw elsewhere(folder)
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (cause) {
    throw new TrexError(`${folder} cannot be made: ${(cause as Error).message}`, {
      hint: 'choose another --out',
      cause,
    })
  }
}
