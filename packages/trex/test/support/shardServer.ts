import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A file that the server has. */
export interface ServedFile {
  bytes: Buffer
  etag?: string
  lastModified?: string
}

/** A request as it came, and the bytes of body that the system has taken for it so far. */
export interface Seen {
  method: string
  path: string
  range: string | undefined
  ifRange: string | undefined
  authorization: string | undefined
  sent: number
  closed: boolean
}

/** What the server does other than it should; true where it has dealt with the request. */
export type Misbehave = (turn: number, seen: Seen, response: ServerResponse, file: ServedFile) => boolean

/** A real server of files with ranges. */
export interface ShardServer {
  readonly url: string
  readonly files: Map<string, ServedFile>
  readonly seen: Seen[]
  /** The GET requests so far, as "path range". */
  ranges(): string[]
  misbehave: Misbehave | null
  close(): Promise<void>
}

/** Starts a server on a free port of this machine; it answers Range and If-Range as RFC 9110 says. */
export async function startShardServer(): Promise<ShardServer> {
  const files = new Map<string, ServedFile>()
  const seen: Seen[] = []
  const server = createServer((request, response) => answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  let gets = 0
  const shardServer: ShardServer = {
    url: `http://127.0.0.1:${port}`,
    files,
    seen,
    ranges: () =>
      seen.filter(({ method }) => method === 'GET').map(({ path, range }) => `${path} ${range ?? 'all'}`),
    misbehave: null,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }

  function answer({ method, url, headers }: IncomingMessage, response: ServerResponse): void {
    const path = url!.split('?')[0]!
    const { range, 'if-range': ifRange, authorization } = headers
    const one: Seen = {
      method: method!,
      path,
      range,
      ifRange: ifRange as string,
      authorization,
      sent: 0,
      closed: false,
    }
    seen.push(one)
    response.on('close', () => {
      one.closed = true
    })
    const file = files.get(path)
    if (!file) return void response.writeHead(404).end()
    if (shardServer.misbehave?.(method === 'GET' ? gets++ : -1, one, response, file)) return
    const match = /^bytes=(\d+)-(\d*)$/.exec(range ?? '')
    const fresh = !ifRange || ifRange === file.etag || (!file.etag && ifRange === file.lastModified)
    const total = file.bytes.length
    const [from, to] =
      match && fresh ? [Number(match[1]), Math.min(Number(match[2] || total - 1) + 1, total)] : [0, total]
    if (from >= total && total > 0) return void response.writeHead(416).end()
    const isPart = match !== null && fresh
    response.writeHead(isPart ? 206 : 200, {
      ...versionHeaders(file),
      'content-length': to - from,
      ...(isPart ? { 'content-range': `bytes ${from}-${to - 1}/${total}` } : {}),
    })
    if (method === 'HEAD') return void response.end()
    send(one, response, file.bytes.subarray(from, to))
  }
  return shardServer
}

/** The headers that tell a file's version. */
export const versionHeaders = ({ etag, lastModified }: ServedFile): Record<string, string> => ({
  ...(etag ? { etag } : {}),
  ...(lastModified ? { 'last-modified': lastModified } : {}),
})

/** Sends in pieces, each when the one before has been taken. */
function send(seen: Seen, response: ServerResponse, bytes: Buffer): void {
  const piece = bytes.subarray(0, 2 ** 16)
  if (piece.length === 0) return void response.end()
  response.write(piece, (error) => {
    if (error) return
    seen.sent += piece.length
    send(seen, response, bytes.subarray(piece.length))
  })
}
