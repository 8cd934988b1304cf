import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A repository as the server keeps it. */
export interface ServedRepo {
  private: boolean
  files: Map<string, Buffer>
  commits: { sha: string; summary: string; paths: string[] }[]
}

/** A request that the server has answered. */
export interface HubRequest {
  method: string
  path: string
  authorization: string | undefined
  range: string | undefined
}

/** A server that speaks as much of the Hugging Face hub as pushing and pulling models needs. */
export interface HubServer {
  readonly url: string
  readonly repos: Map<string, ServedRepo>
  readonly requests: HubRequest[]
  /** Tokens that may see and write everything. */
  readonly tokens: Set<string>
  /** Deals with a request other than it should be; true where it has. */
  misbehave: ((request: HubRequest, response: ServerResponse, body: Buffer) => boolean) | null
  /** Changes what is listed of a file. */
  lie: ((entry: Listed) => Listed) | null
  close(): Promise<void>
}

/** An entry of a listing. */
export interface Listed {
  type: 'file' | 'directory'
  path: string
  size: number
  oid: string
  lfs?: { oid: string; size: number; pointerSize: number }
}

/** Files from this size on are large ones, with a SHA-256. */
export const LARGE = 1000

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const gitSha1 = (bytes: Buffer) =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')

/** An empty repository. */
export const emptyRepo = (isPrivate = false): ServedRepo => ({
  private: isPrivate,
  files: new Map(),
  commits: [{ sha: randomBytes(20).toString('hex'), summary: 'initial commit', paths: [] }],
})

/** Starts one on a free port of this machine. */
export async function startHubServer(): Promise<HubServer> {
  const storage = new Map<string, Buffer>()
  const server = createServer((request, response) => void take(request, response))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const hub: HubServer = {
    url: `http://127.0.0.1:${port}`,
    ...{ repos: new Map(), requests: [], tokens: new Set(), misbehave: null, lie: null },
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }

  async function take(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of incoming) chunks.push(chunk as Buffer)
    } catch {
      return
    }
    const { method = '', url = '', headers } = incoming
    const request = {
      ...{ method, path: decodeURIComponent(url.split('?')[0]!) },
      ...{ authorization: headers.authorization, range: headers.range },
    }
    hub.requests.push(request)
    const body = Buffer.concat(chunks)
    if (hub.misbehave?.(request, response, body)) return
    answer(request, response, body)
  }

  function answer(request: HubRequest, response: ServerResponse, body: Buffer): unknown {
    const { method, path } = request
    const json = (value: unknown, status = 200) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    const token = request.authorization?.replace('Bearer ', '')
    const known = token !== undefined && hub.tokens.has(token)
    if (token !== undefined && !known) return json({ error: 'Invalid credentials' }, 401)
    if (method === 'PUT' && path.startsWith('/storage/')) {
      storage.set(path.slice(9), body)
      return void response.writeHead(200).end()
    }
    if (method === 'POST' && path === '/api/repos/create') {
      const { name, organization, visibility } = JSON.parse(body.toString())
      const full = `${organization}/${name}`
      if (!known) return json({ error: 'Unauthorized' }, 401)
      if (hub.repos.has(full)) return json({ error: 'You already created this model repo' }, 409)
      hub.repos.set(full, emptyRepo(visibility === 'private'))
      return json({ url: `${hub.url}/${full}`, id: full })
    }
    const [, name] = /^\/(?:api\/models\/)?([^/]+\/[^/]+?)(?:\.git)?\//.exec(path) ?? []
    const repo = hub.repos.get(name ?? '')
    if (!repo || (repo.private && !known)) return json({ error: 'Repository not found' }, known ? 404 : 401)
    const rest = path.slice(path.indexOf(name!) + name!.length)
    const head = repo.commits.at(-1)!
    const revision = (text: string) => ['main', 'HEAD', 'v1', head.sha].includes(text)

    if (method === 'POST' && rest.startsWith('/preupload/')) {
      const { files } = JSON.parse(body.toString()) as { files: { path: string; size: number }[] }
      return json({
        files: files.map(({ path, size }) => ({ path, uploadMode: size >= LARGE ? 'lfs' : 'regular' })),
      })
    }
    if (method === 'POST' && rest.endsWith('/info/lfs/objects/batch')) {
      const { objects } = JSON.parse(body.toString()) as { objects: { oid: string; size: number }[] }
      return json({
        transfer: 'basic',
        objects: objects.map((one) => ({
          ...one,
          ...(storage.has(one.oid)
            ? {}
            : { actions: { upload: { href: `${hub.url}/storage/${one.oid}`, header: {} } } }),
        })),
      })
    }
    if (method === 'POST' && rest.startsWith('/commit/')) {
      if (!known) return json({ error: 'Forbidden' }, 403)
      const lines = body
        .toString()
        .split('\n')
        .map((line) => JSON.parse(line))
      const added = new Map<string, Buffer>()
      for (const { key, value } of lines) {
        if (key === 'file') added.set(value.path, Buffer.from(value.content, 'base64'))
        if (key === 'lfsFile') {
          const bytes = storage.get(value.oid)
          if (!bytes || sha256(bytes) !== value.oid) return json({ error: `no content ${value.oid}` }, 400)
          added.set(value.path, bytes)
        }
      }
      for (const [path, bytes] of added) repo.files.set(path, bytes)
      const sha = randomBytes(20).toString('hex')
      repo.commits.push({ sha, summary: lines[0].value.summary, paths: [...added.keys()] })
      return json({ commitOid: sha, commitUrl: `${hub.url}/${name}/commit/${sha}`, hookOutput: '' })
    }
    const [, asked] = /^\/revision\/(.+)$/.exec(rest) ?? []
    if (asked !== undefined) {
      if (!revision(asked)) return json({ error: `Invalid rev id: ${asked}` }, 404)
      return json({
        ...{ _id: '1', id: name, modelId: name, private: repo.private, gated: false, likes: 0, downloads: 0 },
        ...{ sha: head.sha, lastModified: '2026-01-01T00:00:00.000Z' },
      })
    }
    if (/^\/tree\/[^/]+$/.test(rest)) {
      const entries = [...repo.files].map(
        ([path, bytes]): Listed => ({
          ...{ type: 'file', path, size: bytes.length, oid: gitSha1(bytes) },
          ...(bytes.length >= LARGE && { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } }),
        }),
      )
      return json(hub.lie ? entries.map(hub.lie) : entries)
    }
    const [, from, file] = /^\/resolve\/([^/]+)\/(.+)$/.exec(rest) ?? []
    const bytes = repo.files.get(file ?? '')
    if (from === undefined || !revision(from)) return json({ error: 'Not found' }, 404)
    if (!bytes) return void response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end()
    const [, start, end] = /^bytes=(\d+)-(\d*)$/.exec(request.range ?? '') ?? []
    const begin = Number(start ?? 0)
    const stop = Math.min(bytes.length, end ? Number(end) + 1 : bytes.length)
    if (begin >= bytes.length) return void response.writeHead(416).end()
    response.writeHead(start === undefined ? 200 : 206, {
      etag: `"${bytes.length >= LARGE ? sha256(bytes) : gitSha1(bytes)}"`,
      'content-length': stop - begin,
      ...(start !== undefined && { 'content-range': `bytes ${begin}-${stop - 1}/${bytes.length}` }),
    })
    response.end(bytes.subarray(begin, stop))
  }
  return hub
}
