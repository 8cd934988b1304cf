import { TrexError } from '../../errors.js'
import {
  type HttpPolicy,
  mayPass,
  PassingFailure,
  passingFailure,
  pauseBeforeRetry,
  retryAfterMs,
} from './httpRetry.js'
import { showUrl, splitCredentials } from './httpUrl.js'

/** A file on a server, as it was when it was first asked for. */
export interface RemoteFile {
  readonly url: string
  readonly etag: string | null
  readonly lastModified: string | null
  /** Bytes; null where the server does not say. */
  readonly length: number | null
}

/** An answer whose body is still to be read, and what ends it. */
export interface HttpAnswer {
  readonly response: Response
  /** Gives a promise of the body a time limit. */
  withinStall<T>(promise: Promise<T>): Promise<T>
  /** Ends the request. */
  stop(): void
}

const PROBE_TRIES = 4

/**
 * Asks a server for a file's length and version: HEAD, or where that is refused a GET of one byte. Throws TrexError
 * naming address and status.
 */
export async function probeFile(url: string, policy: HttpPolicy, signal?: AbortSignal): Promise<RemoteFile> {
  for (let failures = 0, useGet = false; ; ) {
    try {
      const headers: Record<string, string> = useGet ? { range: 'bytes=0-0' } : {}
      const answer = await ask(url, { method: useGet ? 'GET' : 'HEAD', headers }, policy, signal)
      const { response } = answer
      answer.stop()
      if (!useGet && [403, 405, 501].includes(response.status)) {
        useGet = true
        continue
      }
      checkStatus(url, response)
      return { url, ...versionOf(response), length: lengthOf(response) }
    } catch (error) {
      const failure = passingOrThrow(url, error, signal)
      failures++
      if (failures >= Math.min(PROBE_TRIES, policy.tries)) throw gaveUp(url, failures, failure)
      await pauseBeforeRetry(url, failures, failure, policy, signal)
    }
  }
}

/** Sends one request, and gives up where no answer comes; throws whatever fetch does, or PassingFailure. */
export async function ask(
  url: string,
  { method, headers }: { method: 'GET' | 'HEAD'; headers: Record<string, string> },
  { stallMs }: HttpPolicy,
  signal: AbortSignal | undefined,
): Promise<HttpAnswer> {
  signal?.throwIfAborted()
  const controller = new AbortController()
  const onAbort = () => controller.abort(signal!.reason)
  signal?.addEventListener('abort', onAbort)
  const stop = () => {
    signal?.removeEventListener('abort', onAbort)
    controller.abort()
  }
  async function withinStall<T>(promise: Promise<T>): Promise<T> {
    const stalled = new PassingFailure(`nothing came for ${stallMs / 1000} s`)
    const timer = setTimeout(() => controller.abort(stalled), stallMs)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
    }
  }
  try {
    const plain = splitCredentials(url)
    const all = { 'accept-encoding': 'identity', ...plain.headers, ...headers }
    const response = await withinStall(
      fetch(plain.url, { method, headers: all, signal: controller.signal, redirect: 'follow' }),
    )
    return { response, withinStall, stop }
  } catch (error) {
    stop()
    throw error
  }
}

/** Lets 200 and 206 pass; throws PassingFailure where another try may help, else TrexError. */
export function checkStatus(url: string, { status, statusText, headers }: Response): void {
  const encoding = headers.get('content-encoding') ?? 'identity'
  if ((status === 200 || status === 206) && encoding === 'identity') return
  const shown = `${status}${statusText === '' ? '' : ` ${statusText}`}`
  if (mayPass(status)) {
    throw new PassingFailure(`the server answers ${shown}`, {
      retryAfterMs: retryAfterMs(headers.get('retry-after')),
    })
  }
  if (status === 200 || status === 206) {
    const hint = 'the server has to send the file as it is, without a Content-Encoding'
    throw new TrexError(
      `${showUrl(url)} is sent compressed (${encoding}), so no part of it can be asked for`,
      { hint },
    )
  }
  throw new TrexError(`cannot read ${showUrl(url)}: the server answers ${shown}`, {
    hint: statusHint(status),
  })
}

function statusHint(status: number): string {
  if (status === 401 || status === 403)
    return 'check that the address may be read: its user, key or signature'
  if (status === 404 || status === 410) return 'check the address, and the range of shard numbers'
  if (status === 416)
    return 'the file is shorter than it was: start again, so that its shards are indexed anew'
  return 'open the address in a browser to see what the server says'
}

/** A PassingFailure of an error; throws the signal's reason, a TrexError, or a TrexError for what will not pass. */
export function passingOrThrow(url: string, error: unknown, signal: AbortSignal | undefined): PassingFailure {
  if (signal?.aborted) throw signal.reason
  if (error instanceof TrexError) throw error
  const failure = passingFailure(error)
  if (failure) return failure
  const { cause, message } = error as Error
  const what = cause instanceof Error ? cause.message : message
  throw new TrexError(`cannot read ${showUrl(url)}: ${what}`, { hint: 'check the address', cause: error })
}

/** The error after the last try. */
export function gaveUp(url: string, tries: number, failure: PassingFailure, at?: number): TrexError {
  const where = at === undefined ? '' : ` at byte ${at.toLocaleString('en')}`
  return new TrexError(`cannot read ${showUrl(url)}${where}: ${failure.message} (${tries} tries)`, {
    hint: 'check the network and the server, then start again; a run goes on with --resume',
    cause: failure,
  })
}

/** What tells versions of a file apart. */
export const versionOf = ({ headers }: Response): Pick<RemoteFile, 'etag' | 'lastModified'> => ({
  etag: headers.get('etag'),
  lastModified: headers.get('last-modified'),
})

/** The whole file's length by an answer, if it says so. */
export function lengthOf({ status, headers }: Response): number | null {
  const text =
    status === 206 ? /\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1] : headers.get('content-length')
  return text !== null && text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null
}
