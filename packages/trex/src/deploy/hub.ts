import { HubApiError } from '@huggingface/hub'
import { TrexError } from '../errors.js'

/** Where repositories are, and as whom they are asked for. */
export interface Hub {
  /** Address without a slash at its end. */
  readonly url: string
  /** Null: only what is public is seen. */
  readonly token: string | null
}

/** A repository of a model, and perhaps a branch, tag or commit of it. */
export interface RepoName {
  readonly name: string
  readonly revision: string | undefined
}

/**
 * The hub that the environment names: HF_ENDPOINT, else huggingface.co; HF_TOKEN.
 * @throws TrexError for an address or a token that cannot be one; the token is never in a message.
 */
export function hubOf({ HF_ENDPOINT: endpoint, HF_TOKEN: token }: NodeJS.ProcessEnv): Hub {
  const url = (endpoint || 'https://huggingface.co').replace(/\/+$/, '')
  if (!/^https?:\/\/[^/@\s?#]+(\/[^@\s?#]*)?$/.test(url) || !URL.canParse(url))
    throw new TrexError('HF_ENDPOINT is no address of a server', {
      hint: 'as https://huggingface.co, or unset it',
    })
  if (token && !/^hf_\w+$/.test(token))
    throw new TrexError('HF_TOKEN is no token of Hugging Face: those begin with hf_', {
      hint: 'copy it from huggingface.co/settings/tokens',
    })
  return { url, token: token || null }
}

/** Reads USER/NAME, with `@REVISION` behind it where that is allowed. @throws TrexError for other texts. */
export function repoOf(text: string, { revision: allowed }: { revision: boolean }): RepoName {
  const [, name, revision] = /^((?:[\w.-]+\/)?[\w.-]+)(?:@([\w./-]+))?$/.exec(text) ?? []
  const dots = name?.split('/').some((part) => /^\.*$/.test(part) || part.includes('..'))
  if (!name || dots || (revision && !allowed) || (!allowed && !name.includes('/')))
    throw new TrexError(`${text} is no name of a repository`, {
      hint: allowed ? 'as USER/NAME or USER/NAME@REVISION' : 'as USER/NAME',
    })
  return { name, revision }
}

/** What went wrong between here and the hub, in words; other errors are handed back as they are. */
export function hubError(error: unknown, { url, token }: Hub, repo: string): unknown {
  if (error instanceof TrexError || !(error instanceof Error)) return error
  const fail = (what: string, hint: string) => new TrexError(`${url}: ${what}`, { hint })
  if (error instanceof HubApiError) {
    const { statusCode: status } = error
    if (status === 401)
      return fail(
        token ? `the token is not accepted for ${repo}` : `${repo} does not exist, or is not public`,
        token
          ? 'make a new one at huggingface.co/settings/tokens'
          : 'set HF_TOKEN to a token that may see it',
      )
    if (status === 403)
      return fail(`the token may not do that with ${repo}`, 'a token with write access to it is needed')
    if (status === 404)
      return fail(
        `there is no ${repo}, or not this revision or file of it`,
        'check the name; HF_TOKEN decides what is seen',
      )
    if (status === 429 || status >= 500)
      return fail(`the server answers ${status}`, 'try again later: what a pull has downloaded is kept')
    return fail(
      `the server answers ${status}: ${withoutToken(error.message, token)}`,
      'check the name and the token',
    )
  }
  const { cause } = error
  const reason = cause instanceof Error && cause.message ? cause.message : error.message
  return new TrexError(
    `${url} cannot be reached, or the connection was lost: ${withoutToken(reason, token)}`,
    {
      hint: 'check the connection (and HF_ENDPOINT), and try again: what a pull has downloaded is kept',
    },
  )
}

const withoutToken = (text: string, token: string | null) =>
  token ? text.replaceAll(token, '(token)') : text

/** What the library takes as credentials, and how it fetches: the token goes to no other server than the hub. */
export const credentials = ({ url, token }: Hub) => ({
  hubUrl: url,
  ...(token && { accessToken: token, fetch: fetchWith(token, new URL(url).origin) }),
})

/** The library follows the addresses of further pages wherever they lead, with the token. */
const fetchWith =
  (token: string, origin: string): typeof fetch =>
  (input, init = {}) => {
    const headers = new Headers(init.headers)
    const { origin: to } = new URL(input instanceof Request ? input.url : input)
    if (to !== origin && headers.get('authorization') === `Bearer ${token}`) headers.delete('authorization')
    return fetch(input, { ...init, headers })
  }
