import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { emptyRepo, type HubServer, startHubServer } from '../../test/support/hubServer.js'
import { trex } from '../../test/support/trex.js'
import { TrexError } from '../errors.js'
import { globMatcher, unsafeName } from './fileNames.js'
import { type Hub, hubOf, repoOf } from './hub.js'
import { type PullOptions, pull } from './hubPull.js'
import { push } from './hubPush.js'

const TOKEN = 'hf_aVerySecretToken'
const dir = mkdtempSync(join(tmpdir(), 'trex-hub-'))
let server: HubServer
let hub: Hub
let count = 0

beforeAll(async () => {
  server = await startHubServer()
})
afterAll(async () => {
  await server.close()
  rmSync(dir, { recursive: true, force: true })
})
beforeEach(() => {
  server.repos.clear()
  server.tokens.clear()
  server.tokens.add(TOKEN)
  server.requests.length = 0
  hub = { url: server.url, token: TOKEN }
})
afterEach(() => {
  server.misbehave = null
  server.lie = null
})

const fresh = () => join(dir, `out${count++}`)
/** Bytes that differ everywhere. */
const noise = (length: number) =>
  Buffer.from(Uint32Array.from({ length: length / 4 }, (_, i) => (i * 2654435761) >>> 0).buffer)

async function finish<T>(events: AsyncGenerator<unknown, T>): Promise<T> {
  for (;;) {
    const { value, done } = await events.next()
    if (done) return value as T
  }
}
const pullAll = (out: string, options: PullOptions = {}, name = 'me/model') =>
  finish(pull(repoOf(name, { revision: true }), out, hub, { delay: 1, ...options }))

function made(files: Record<string, Buffer | string>): string {
  const folder = fresh()
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

function serve(files: Record<string, Buffer>): void {
  const repo = emptyRepo()
  for (const [name, bytes] of Object.entries(files)) repo.files.set(name, bytes)
  server.repos.set('me/model', repo)
}

const WEIGHTS = noise(300_000)

describe('push, then pull', () => {
  test('gives the same files back; they were seen in one commit, in a private repository', async () => {
    const folder = made({ 'README.md': '# hi', 'onnx/model.onnx': WEIGHTS, 'empty.txt': '', '.hidden': 'no' })
    const pushed = await finish(push(folder, 'me/model', hub, { isPrivate: true }))
    const repo = server.repos.get('me/model')!
    expect(repo.private).toBe(true)
    expect(repo.commits.slice(1).map(({ paths }) => paths.sort())).toEqual([
      ['README.md', 'empty.txt', 'onnx/model.onnx'],
    ])
    expect(pushed).toMatchObject({ commit: repo.commits[1]!.sha, bytes: WEIGHTS.length + 4 })

    const out = fresh()
    const pulled = await pullAll(out)
    expect(pulled.commit).toBe(pushed.commit)
    expect(readdirSync(out, { recursive: true }).sort()).toEqual([
      'README.md',
      'empty.txt',
      'onnx',
      'onnx/model.onnx',
    ])
    expect(readFileSync(join(out, 'onnx/model.onnx')).equals(WEIGHTS)).toBe(true)
    expect(readFileSync(join(out, 'README.md'), 'utf8')).toBe('# hi')
    expect((await pullAll(out)).files.every(({ found }) => found)).toBe(true)
  })

  test('names with what addresses give a meaning to', async () => {
    const names = ['a b#c?d%20e.txt', 'ü/é.bin']
    const folder = made(Object.fromEntries(names.map((name) => [name, noise(2000)])))
    await finish(push(folder, 'me/model', hub, { isPrivate: false }))
    const out = fresh()
    expect((await pullAll(out)).files.map(({ path }) => path).sort()).toEqual(names.sort())
  })
})

describe('pull', () => {
  test('goes on where the connection was lost, in one call and in the next', async () => {
    serve({ 'model.bin': WEIGHTS })
    let drops = 0
    server.misbehave = ({ path, range }, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? -1)
      if (!path.includes('/resolve/') || from < 0 || drops === 0) return false
      drops--
      const end = WEIGHTS.length
      response.writeHead(206, {
        'content-length': end - from,
        'content-range': `bytes ${from}-${end - 1}/${end}`,
      })
      response.write(WEIGHTS.subarray(from, from + 70_000), () => setTimeout(() => response.destroy(), 20))
      return true
    }
    const out = fresh()
    drops = 2
    await pullAll(out)
    expect(readFileSync(join(out, 'model.bin')).equals(WEIGHTS)).toBe(true)
    const ranges = server.requests.flatMap(({ range }) => (range && range !== 'bytes=0-0' ? [range] : []))
    expect(ranges).toEqual(['bytes=0-', 'bytes=70000-', 'bytes=140000-'])

    const other = fresh()
    drops = 1
    await expect(pullAll(other, { retries: -1 })).rejects.toThrow(/connection was lost/)
    expect(existsSync(join(other, 'model.bin'))).toBe(false)
    expect(readdirSync(other)).toHaveLength(1)
    server.requests.length = 0
    await pullAll(other)
    expect(server.requests.at(-1)!.range).toBe('bytes=70000-')
    expect(readdirSync(other)).toEqual(['model.bin'])
  })

  test.each([
    '../evil',
    'a/../../evil',
    '/etc/evil',
    'a\\..\\evil',
    'C:evil',
    '.git/hooks/post-checkout',
    'a/./b',
    'x\0y',
    'x\u202egnp.bin',
  ])('a file called %j is refused before anything is downloaded', async (name) => {
    serve({ 'fine.txt': Buffer.from('ok'), [name]: Buffer.from('evil') })
    const out = join(fresh(), 'deep', 'er')
    await expect(pullAll(out)).rejects.toThrow(/which (leads out|may lead|has control|would change)/)
    expect(existsSync(out)).toBe(false)
    expect(server.requests.some(({ path }) => path.includes('/resolve/'))).toBe(false)
  })

  test('links in the folder do not lead what is written out of it', async () => {
    const names = ['onnx/model.bin', 'model.bin']
    serve(Object.fromEntries(names.map((name) => [name, WEIGHTS])))
    const part = `.${createHash('sha256').update(WEIGHTS).digest('hex').slice(0, 16)}.part`
    for (const [link, name] of [
      ['onnx', names[0]!],
      [part, names[1]!],
    ] as const) {
      const [out, victim] = [fresh(), fresh()]
      mkdirSync(out)
      if (link === 'onnx') mkdirSync(victim)
      else writeFileSync(victim, '')
      symlinkSync(victim, join(out, link))
      await expect(pullAll(out, { patterns: [name] })).rejects.toThrow(/leads elsewhere by a link/)
      expect(link === 'onnx' ? readdirSync(victim) : readFileSync(victim)).toHaveLength(0)
      rmSync(join(out, link))
      await pullAll(out, { patterns: [name] })
    }
  })

  test('a list of files that goes on at another server does not take the token there', async () => {
    serve({ 'model.bin': WEIGHTS })
    const other = await startHubServer()
    other.repos.set('me/model', emptyRepo())
    let pages = 0
    server.misbehave = ({ path }, response) => {
      if (path.includes('/tree/') && pages++ === 0)
        response.setHeader('Link', `<${other.url}/api/models/me/model/tree/main>; rel="next"`)
      return false
    }
    const seen: unknown[] = []
    other.misbehave = ({ authorization }, response) => {
      seen.push(authorization)
      response.writeHead(200, { 'content-type': 'application/json' }).end('[]')
      return true
    }
    await pullAll(fresh())
    expect(seen).toEqual([undefined])
    await other.close()
  })

  test('a damaged list of files is one named error', async () => {
    serve({ 'model.bin': WEIGHTS })
    for (const part of [{ path: undefined }, { size: -1 }, { size: '9' }, { size: 1.5 }]) {
      server.lie = (entry) => ({ ...entry, ...part }) as typeof entry
      await expect(pullAll(fresh())).rejects.toThrow('the list of the files of me/model is damaged')
    }
  })

  test('content, sizes and ranges that are not what is listed are errors that leave no file', async () => {
    const changed = Buffer.from(WEIGHTS)
    changed[1234]! ^= 1
    serve({ 'model.bin': changed })
    const sha = createHash('sha256').update(WEIGHTS).digest('hex')
    const out = fresh()
    server.lie = (entry) => ({ ...entry, lfs: { ...entry.lfs!, oid: sha } })
    await expect(pullAll(out)).rejects.toThrow(/model.bin is not what .* lists: its SHA-256 is another/)
    server.lie = (entry) => ({ ...entry, size: 5000 })
    await expect(pullAll(out)).rejects.toThrow('model.bin has 300000 bytes, not 5000 as it is listed')
    server.lie = null
    server.misbehave = ({ range }, response) => {
      if (!range || range === 'bytes=0-0') return false
      response.writeHead(200, { 'content-length': changed.length }).end(changed)
      return true
    }
    await expect(pullAll(out)).rejects.toThrow(/does not give parts of files/)
    server.misbehave = ({ range }, response) => {
      if (!range || range === 'bytes=0-0') return false
      const more = Buffer.concat([changed, changed])
      response
        .writeHead(206, { 'content-range': `bytes 0-${more.length - 1}/*`, 'content-length': more.length })
        .end(more)
      return true
    }
    await expect(pullAll(out)).rejects.toThrow('model.bin has more bytes, not 300000 as it is listed')
    server.misbehave = null
    expect(existsSync(join(out, 'model.bin'))).toBe(false)
    await pullAll(out)
    expect(readFileSync(join(out, 'model.bin')).equals(changed)).toBe(true)
  })

  test('patterns choose files; one that fits none names what there is', async () => {
    serve({
      'README.md': Buffer.from('x'),
      'onnx/model.onnx': noise(2000),
      'onnx/model_fp16.onnx': noise(1200),
    })
    const names = async (...patterns: string[]) =>
      (await pullAll(fresh(), { patterns })).files.map(({ path }) => path)
    expect(await names('*.onnx')).toEqual(['onnx/model.onnx', 'onnx/model_fp16.onnx'])
    expect(await names('onnx/model.*', '*.md')).toEqual(['README.md', 'onnx/model.onnx'])
    await expect(names('*.pth')).rejects.toMatchObject({
      message: 'me/model has no file that is like *.pth',
      hint: 'it has README.md, onnx/model.onnx, onnx/model_fp16.onnx',
    })
  })

  test('another file of the same name stays, unless it may be replaced', async () => {
    serve({ 'README.md': Buffer.from('theirs'), 'big.bin': WEIGHTS })
    const out = made({ 'README.md': 'mine' })
    await expect(pullAll(out)).rejects.toThrow(/README.md is there already, and is something else/)
    expect(readdirSync(out)).toEqual(['README.md'])
    await pullAll(out, { force: true })
    expect(readFileSync(join(out, 'README.md'), 'utf8')).toBe('theirs')
  })

  test('what the hub refuses, in words', async () => {
    await expect(pullAll(fresh())).rejects.toMatchObject({
      message: expect.stringMatching(/there is no me\/model/),
    })
    serve({ 'a.txt': Buffer.from('a') })
    await expect(pullAll(fresh(), {}, 'me/model@nowhere')).rejects.toThrow(
      /there is no me\/model, or not this revision/,
    )
    expect((await pullAll(fresh(), {}, 'me/model@v1')).files).toHaveLength(1)
    server.repos.get('me/model')!.private = true
    hub = { ...hub, token: null }
    await expect(pullAll(fresh())).rejects.toThrow(/me\/model does not exist, or is not public/)
    hub = { ...hub, token: 'hf_other' }
    await expect(pullAll(fresh())).rejects.toThrow(/the token is not accepted/)
    hub = { url: 'http://127.0.0.1:9', token: null }
    await expect(pullAll(fresh())).rejects.toThrow(/cannot be reached/)
  })

  test('a server that is busy is asked again, and a stop ends it', async () => {
    serve({ 'model.bin': WEIGHTS })
    let busy = 3
    server.misbehave = ({ path }, response) => {
      if (!path.includes('/resolve/') || busy-- <= 0) return false
      response.writeHead(503).end()
      return true
    }
    await pullAll(fresh())
    const controller = new AbortController()
    const stopped = new Error('stopped')
    server.misbehave = ({ path }) => {
      if (path.includes('/resolve/')) controller.abort(stopped)
      return false
    }
    await expect(pullAll(fresh(), { signal: controller.signal })).rejects.toBe(stopped)
  })
})

describe('push', () => {
  const folder = () => made({ 'README.md': 'x', 'model.safetensors': WEIGHTS })

  test('nothing is seen of an upload that fails, and the next one sends no content twice', async () => {
    const files = folder()
    server.misbehave = ({ path }, response) => {
      if (!path.includes('/commit/')) return false
      response.writeHead(500).end()
      return true
    }
    await expect(finish(push(files, 'me/model', hub, { isPrivate: false }))).rejects.toThrow(/answers 500/)
    expect(server.repos.get('me/model')!.files.size).toBe(0)
    server.misbehave = null
    server.requests.length = 0
    await finish(push(files, 'me/model', hub, { isPrivate: false }))
    expect(server.requests.filter(({ method }) => method === 'PUT')).toHaveLength(0)
    expect(server.repos.get('me/model')!.files.size).toBe(2)
  })

  test('a private push does not go into a public repository', async () => {
    serve({})
    await expect(finish(push(folder(), 'me/model', hub, { isPrivate: true }))).rejects.toThrow(
      /and is public/,
    )
    expect(server.repos.get('me/model')!.commits).toHaveLength(1)
  })

  test('what cannot be pushed is an error before anything is asked', async () => {
    const empty = fresh()
    mkdirSync(empty)
    const linked = folder()
    symlinkSync('/etc/hostname', join(linked, 'link'))
    for (const [path, what] of [
      [empty, /holds no files/],
      [linked, /is a link/],
      [fresh(), /no folder/],
    ] as const)
      await expect(finish(push(path, 'me/model', hub, { isPrivate: false }))).rejects.toThrow(what)
    hub = { ...hub, token: null }
    await expect(finish(push(folder(), 'me/model', hub, { isPrivate: false }))).rejects.toThrow(
      /needs a token/,
    )
    expect(server.requests).toHaveLength(0)
    hub = { ...hub, token: 'hf_wrong' }
    await expect(finish(push(folder(), 'me/model', hub, { isPrivate: false }))).rejects.toThrow(
      /not accepted/,
    )
  })
})

test('names of repositories, tokens and servers that cannot be are refused, and a token is never said', () => {
  expect(repoOf('a/b-c.d@v1.0', { revision: true })).toEqual({ name: 'a/b-c.d', revision: 'v1.0' })
  for (const name of ['', 'a/b/c', '../x', 'a/..', 'a b/c', 'a/b@', 'https://x/y', './x'])
    expect(() => repoOf(name, { revision: true }), name).toThrow(TrexError)
  for (const name of ['model', 'a/b@main'])
    expect(() => repoOf(name, { revision: false }), name).toThrow(TrexError)
  expect(hubOf({ HF_ENDPOINT: 'https://hub.example/x/', HF_TOKEN: TOKEN })).toEqual({
    url: 'https://hub.example/x',
    token: TOKEN,
  })
  for (const endpoint of ['ftp://x', 'https://', 'https://user:pw@x', 'x', 'https://h:99999'])
    expect(() => hubOf({ HF_ENDPOINT: endpoint }), endpoint).toThrow(TrexError)
  expect(() => hubOf({ HF_TOKEN: 'secret-of-others' })).toThrow(/^(?!.*secret)/)
})

test('patterns and names', () => {
  expect(unsafeName('a/b.c-d/..e')).toBeNull()
  expect(unsafeName('x'.repeat(256))).not.toBeNull()
  for (const [pattern, name, fits] of [
    ['*.onnx', 'a/b.onnx', true],
    ['a/*', 'a/b/c', false],
    ['a/**', 'a/b/c', true],
    ['**/c', 'c', true],
    ['?.[x]', 'a.[x]', true],
    ['m(o', 'm(o', true],
    ['*.txt', 'a.txt2', false],
  ] as const)
    expect(globMatcher(pattern)(name), `${pattern} ${name}`).toBe(fits)
})

test('the commands: environment, progress, JSON, exit codes, and no token in what they say', async () => {
  const env = { HF_ENDPOINT: server.url, HF_TOKEN: TOKEN }
  const folder = made({ 'README.md': 'x', 'model.safetensors': WEIGHTS })
  const pushed = await trex(['push', folder, 'me/model', '--private', '--json'], { env })
  expect(pushed.status, pushed.stderr).toBe(0)
  expect(JSON.parse(pushed.stdout)).toMatchObject({
    repo: 'me/model',
    files: ['README.md', 'model.safetensors'],
  })
  const out = fresh()
  const pulled = await trex(['pull', 'me/model', '--out', out, '--file', '*.safetensors'], { env })
  expect(pulled).toMatchObject({ status: 0, stdout: `${join(out, 'model.safetensors')}\n` })
  const refused = await trex(['pull', 'me/other', '--out', out], { env })
  expect(refused).toMatchObject({ status: 1, stdout: '' })
  expect(refused.stderr).toMatch(/error: .*there is no me\/other/)
  server.tokens.clear()
  const failed = await trex(['push', folder, 'me/model', '--debug'], { env })
  expect(failed.status).toBe(1)
  for (const { stdout, stderr } of [pushed, pulled, refused, failed])
    expect(stdout + stderr).not.toContain(TOKEN)
})
