import { TrexError } from '../../errors.js'
import {
  ask,
  checkStatus,
  gaveUp,
  type HttpAnswer,
  lengthOf,
  passingOrThrow,
  type RemoteFile,
  versionOf,
} from './httpFile.js'
import { type HttpPolicy, PassingFailure, pauseBeforeRetry } from './httpRetry.js'
import { showUrl } from './httpUrl.js'

/** Which bytes are read, and how. */
export interface ReadBytesOptions {
  readonly start?: number
  /** Behind the last byte; default: the file's length. */
  readonly end?: number | null
  readonly policy: HttpPolicy
  readonly signal?: AbortSignal | undefined
}

const CHANGED_HINT =
  'start again, so that its shards are indexed anew; do not change shards while they are read'

/**
 * The bytes [start, end) of a file on a server, in order and each once. A connection that drops or stalls, and a server
 * that is busy, are followed by a request for the rest (Range, If-Range); where the server sends the whole file
 * instead, what is known of it is skipped. Nothing is asked of the network while the caller does not ask for the next
 * bytes. Throws TrexError naming the address where a status is final, the file changed, ranges are wrong, or
 * `policy.tries` tries in a row bring nothing. Source: RFC 9110, 13 and 14.
 */
export async function* readBytes(
  file: RemoteFile,
  { start = 0, end = file.length, policy, signal }: ReadBytesOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const { url } = file
  let at = start
  let failures = 0
  while (end === null || at < end) {
    let answer: HttpAnswer | null = null
    try {
      answer = await ask(url, { method: 'GET', headers: rangeHeaders(file, at, end) }, policy, signal)
      const part = checkAnswer(file, answer.response, at, end)
      let place = part.from
      const reader = answer.response.body?.getReader()
      while (reader) {
        const { done, value } = await answer.withinStall(reader.read())
        if (done) break
        if (part.to !== null && place + value.length > part.to) throw tooLong(url, part.to)
        const known = Math.max(at - place, 0)
        place += value.length
        const bytes = value.subarray(
          known,
          end === null ? undefined : value.length - Math.max(place - end, 0),
        )
        if (bytes.length === 0) continue
        at += bytes.length
        failures = 0
        yield bytes
        if (end !== null && at >= end) return
      }
      if (end === null) return
      if (answer.response.status === 206 && place === part.to) continue // all of a range shorter than asked for
      throw new PassingFailure(
        `its body ends at byte ${place.toLocaleString('en')} of ${end.toLocaleString('en')}`,
      )
    } catch (error) {
      const failure = passingOrThrow(url, error, signal)
      failures++
      if (failures >= policy.tries) throw gaveUp(url, failures, failure, at)
      answer?.stop()
      await pauseBeforeRetry(url, failures, failure, policy, signal)
    } finally {
      answer?.stop()
    }
  }
}

function rangeHeaders(file: RemoteFile, at: number, end: number | null): Record<string, string> {
  const isWhole = at === 0 && (end === null || end === file.length)
  if (isWhole) return {}
  const last = end === null || end === file.length ? '' : `${end - 1}`
  // A weak ETag must not stand in If-Range; whether it is the same is checked in the answer.
  const version = file.etag && !file.etag.startsWith('W/') ? file.etag : file.etag ? null : file.lastModified
  return { range: `bytes=${at}-${last}`, ...(version ? { 'if-range': version } : {}) }
}

/** Where an answer's body starts in the file, and where it ends; throws for an answer that is of no use. */
function checkAnswer(
  file: RemoteFile,
  response: Response,
  at: number,
  end: number | null,
): { from: number; to: number | null } {
  const { url } = file
  checkStatus(url, response)
  const version = versionOf(response)
  const changed =
    file.etag && version.etag
      ? file.etag.replace(/^W\//, '') !== version.etag.replace(/^W\//, '')
      : file.lastModified && version.lastModified && file.lastModified !== version.lastModified
  const total = lengthOf(response)
  if (changed || (total !== null && file.length !== null && total !== file.length)) {
    const [from, to] = [file, { ...version, length: total }].map(describe)
    throw new TrexError(
      `${showUrl(url)} changed on the server while it was read: it was ${from}, and is ${to}`,
      {
        hint: CHANGED_HINT,
      },
    )
  }
  if (response.status === 200) return { from: 0, to: total ?? file.length }
  const header = response.headers.get('content-range') ?? ''
  const range = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(header)
  const [from, to] = [Number(range?.[1]), Number(range?.[2]) + 1]
  if (!range || from !== at || to <= from || (end !== null && to > end)) {
    const shown = header === '' ? 'no Content-Range' : `the Content-Range "${header.slice(0, 80)}"`
    throw new TrexError(
      `${showUrl(url)}: asked for the bytes from ${at}, the server answers 206 with ${shown}`,
      {
        hint: 'the server, or a proxy before it, does not keep to HTTP ranges: use another, or fetch the shards first',
      },
    )
  }
  return { from, to }
}

const describe = ({ etag, lastModified, length }: Omit<RemoteFile, 'url'>) =>
  [etag, lastModified, length === null ? null : `${length} bytes`].filter(Boolean).join(', ')

const tooLong = (url: string, to: number) =>
  new TrexError(`${showUrl(url)}: the server sends more than the ${to} bytes it has announced`, {
    hint: CHANGED_HINT,
  })
