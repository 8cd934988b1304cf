import { setTimeout as sleep } from 'node:timers/promises'
import { rngFor } from '../../rng.js'

/** How patient requests are. */
export interface HttpPolicy {
  /** A request without an answer, or a body without a byte, for so long is given up and tried again. */
  readonly stallMs: number
  /** Tries one after another that bring no new byte. */
  readonly tries: number
  /** The first pause; each further one is twice as long, and each is varied by a half. */
  readonly firstPauseMs: number
  readonly longestPauseMs: number
}

/** Eight tries in about a minute. */
export const HTTP_POLICY: HttpPolicy = {
  stallMs: 30_000,
  tries: 8,
  firstPauseMs: 500,
  longestPauseMs: 30_000,
}

const LONGEST_RETRY_AFTER_MS = 120_000

/** A failure that may pass: the request is tried again. */
export class PassingFailure extends Error {
  /** How long the server asks to wait. */
  readonly retryAfterMs: number

  constructor(message: string, { retryAfterMs = 0, cause }: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.retryAfterMs = retryAfterMs
  }
}

/** Whether another try may have another answer than this status. */
export const mayPass = (status: number): boolean => status >= 500 || [408, 425, 429].includes(status)

/** The pause that a Retry-After header asks for, in seconds or as a date; 0 without one. Source: RFC 9110, 10.2.3. */
export function retryAfterMs(header: string | null, now = Date.now()): number {
  if (header === null) return 0
  const wait = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isFinite(wait) ? Math.min(Math.max(wait, 0), LONGEST_RETRY_AFTER_MS) : 0
}

/**
 * Waits before the next try after `failures` of them: longer each time, and differently for each address, so that
 * readers that failed together do not come back together. Rejects with the signal's reason.
 */
export async function pauseBeforeRetry(
  url: string,
  failures: number,
  failure: PassingFailure,
  policy: HttpPolicy,
  signal: AbortSignal | undefined,
): Promise<void> {
  const pause = Math.min(policy.firstPauseMs * 2 ** (failures - 1), policy.longestPauseMs)
  const ms = Math.max(pause * (0.5 + jitter(url, failures)), failure.retryAfterMs)
  try {
    await sleep(ms, undefined, signal ? { signal } : {})
  } catch (error) {
    throw signal?.aborted ? signal.reason : error
  }
}

/** A number in [0, 1) from the process, the address and the try. */
function jitter(url: string, failures: number): number {
  let hash = process.pid
  for (let i = 0; i < url.length; i++) hash = (Math.imul(hash, 31) + url.charCodeAt(i)) >>> 0
  return rngFor(hash, failures).uniform()
}

const FATAL_CODES = /^(CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_INVALID)/

/** What a failed fetch or read of a body means: a PassingFailure, or null where trying again is of no use. */
export function passingFailure(error: unknown): PassingFailure | null {
  if (error instanceof PassingFailure) return error
  if (!(error instanceof Error)) return null
  const cause = error.cause instanceof Error ? (error.cause as NodeJS.ErrnoException) : undefined
  const code = cause?.code ?? (error as NodeJS.ErrnoException).code ?? ''
  if (FATAL_CODES.test(code) || /redirect count|unknown scheme/.test(cause?.message ?? '')) return null
  return new PassingFailure(cause?.message || code || error.message, { cause: error })
}
