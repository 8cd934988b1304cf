import { TrexError } from '../errors.js'

/** Told how much has come, in bytes; `total` is null where the server does not say it. */
export type OnProgress = (loaded: number, total: number | null) => void

/** A file in a browser: its address, a File or Blob, or its bytes. */
export type WebFile = string | URL | Blob | ArrayBuffer | Uint8Array

/**
 * The bytes of a file. Rejects with TrexError when it cannot be fetched, or the server answers with a page.
 */
export async function bytesOf(file: WebFile, onProgress?: OnProgress): Promise<Uint8Array> {
  if (file instanceof Uint8Array) return file
  if (file instanceof ArrayBuffer) return new Uint8Array(file)
  if (typeof file === 'string' || file instanceof URL) return received(await fetched(file), onProgress)
  if (file instanceof Blob) return new Uint8Array(await file.arrayBuffer())
  throw new TrexError('this is no file', { hint: 'give a URL, a File or Blob, an ArrayBuffer or Uint8Array' })
}

/** The answer of a server that has the file. Rejects with TrexError. */
export async function fetched(url: string | URL): Promise<Response> {
  let response: Response
  try {
    response = await fetch(url)
  } catch (cause) {
    throw new TrexError(`${url} cannot be fetched: ${(cause as Error).message}`, {
      hint: 'is the address right, and does a server of another origin allow this page (CORS)?',
      cause,
    })
  }
  if (!response.ok) throw new TrexError(`${url} cannot be fetched: the server answers ${response.status}`)
  if (response.headers.get('content-type')?.startsWith('text/html'))
    throw new TrexError(`${url} is a web page`, {
      hint: 'many servers answer with a page where there is no such file: check the address',
    })
  return response
}

async function received({ body, headers }: Response, onProgress?: OnProgress): Promise<Uint8Array> {
  // Of a compressed answer the length is not that of the file.
  const length = headers.get('content-encoding') === null ? Number(headers.get('content-length')) : 0
  const total = length > 0 ? length : null
  const pieces: Uint8Array[] = []
  let loaded = 0
  const reader = body?.getReader()
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
    pieces.push(next.value)
    loaded += next.value.length
    onProgress?.(loaded, total)
  }
  const bytes = new Uint8Array(loaded)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}
