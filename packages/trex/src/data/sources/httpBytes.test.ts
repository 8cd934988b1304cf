import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type ServedFile,
  type ShardServer,
  startShardServer,
  versionHeaders,
} from '../../../test/support/shardServer.js'
import { TrexError } from '../../errors.js'
import { readBytes } from './httpBytes.js'
import { probeFile, type RemoteFile } from './httpFile.js'
import { HTTP_POLICY, retryAfterMs } from './httpRetry.js'

const policy = { ...HTTP_POLICY, stallMs: 300, tries: 4, firstPauseMs: 5, longestPauseMs: 20 }
const bytes = Buffer.from(Uint32Array.from({ length: 250_000 }, (_, i) => Math.imul(i, 2654435761)).buffer)

let server: ShardServer
let file: ServedFile
beforeEach(async () => {
  server = await startShardServer()
  file = { bytes, etag: '"v1"', lastModified: 'Wed, 21 Oct 2015 07:28:00 GMT' }
  server.files.set('/a.tar', file)
})
afterEach(() => server.close())

const probe = () => probeFile(`${server.url}/a.tar`, policy)
async function read(remote: RemoteFile, range: { start?: number; end?: number } = {}): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of readBytes(remote, { ...range, policy })) chunks.push(chunk)
  return Buffer.concat(chunks)
}
const isAll = (got: Buffer) => expect(got.equals(bytes)).toBe(true)
async function failure(work: Promise<unknown>): Promise<TrexError> {
  const error = (await work.catch((e) => e)) as TrexError
  expect(error).toBeInstanceOf(TrexError)
  expect(error.message).toContain(`${server.url}/a.tar`)
  expect(error.hint).toBeTruthy()
  return error
}
/** Sends the first bytes, then cuts the connection. */
function drop(response: ServerResponse, from: number, count: number): boolean {
  const isPart = from > 0
  response.writeHead(isPart ? 206 : 200, {
    ...versionHeaders(file),
    'content-length': bytes.length - from,
    ...(isPart ? { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}),
  })
  response.write(bytes.subarray(from, from + count), () => setTimeout(() => response.destroy(), 20))
  return true
}

describe('readBytes', () => {
  test('a whole file by one request, and parts by their range', async () => {
    const remote = await probe()
    expect(remote).toMatchObject({ etag: '"v1"', lastModified: file.lastModified, length: 1_000_000 })
    isAll(await read(remote))
    expect(await read(remote, { start: 512, end: 700 })).toEqual(bytes.subarray(512, 700))
    expect(await read(remote, { start: 999_000 })).toEqual(bytes.subarray(999_000))
    expect(server.ranges()).toEqual(['/a.tar all', '/a.tar bytes=512-699', '/a.tar bytes=999000-'])
    expect(server.seen.map(({ method }) => method)).toEqual(['HEAD', 'GET', 'GET', 'GET'])
  })
  test('goes on where a connection dropped', async () => {
    const remote = await probe()
    const cuts = [1, 512, 70_000, 300_001]
    server.misbehave = (turn, { range }, response) =>
      turn < cuts.length && drop(response, Number(/\d+/.exec(range ?? '0')), cuts[turn]!)
    isAll(await read(remote))
    const at = [1, 513, 70_513, 370_514].map((from) => `/a.tar bytes=${from}-`)
    expect(server.ranges()).toEqual(['/a.tar all', ...at])
    expect(server.seen.slice(2).map(({ ifRange }) => ifRange)).toEqual(at.map(() => '"v1"'))
  })
  test('goes on where a body stalls, and where no answer comes', async () => {
    const remote = await probe()
    server.misbehave = (turn, _, response) => {
      if (turn === 1) return true
      if (turn > 0) return false
      response.writeHead(200, { ...versionHeaders(file), 'content-length': bytes.length })
      response.write(bytes.subarray(0, 1000))
      return true
    }
    const start = performance.now()
    isAll(await read(remote))
    expect(performance.now() - start).toBeGreaterThan(2 * policy.stallMs - 20)
    expect(server.ranges()).toEqual(['/a.tar all', '/a.tar bytes=1000-', '/a.tar bytes=1000-'])
  })
  test('503, then 429 with Retry-After, then the file', async () => {
    const remote = await probe()
    server.misbehave = (turn, _, response) => {
      if (turn > 1) return false
      response.writeHead(turn === 0 ? 503 : 429, turn === 0 ? {} : { 'retry-after': '1' }).end('busy')
      return true
    }
    const start = performance.now()
    isAll(await read(remote))
    expect(performance.now() - start).toBeGreaterThan(990)
    expect(server.ranges()).toHaveLength(3)
  })
  test('a server without ranges: what is known is skipped', async () => {
    const remote = await probe()
    server.misbehave = (turn, _, response) => {
      if (turn === 0) return drop(response, 0, 400_000)
      response.writeHead(200, { ...versionHeaders(file), 'content-length': bytes.length }).end(bytes)
      return true
    }
    isAll(await read(remote))
    expect(await read(remote, { start: 999, end: 2000 })).toEqual(bytes.subarray(999, 2000))
  })
  test('a body without a length, and a file of an unknown one', async () => {
    server.misbehave = (_, { method }, response) => {
      response.writeHead(200, versionHeaders(file))
      response.end(method === 'HEAD' ? undefined : bytes)
      return true
    }
    const remote = await probe()
    expect(remote.length).toBeNull()
    isAll(await read(remote))
  })
  test('If-Range is the date without an ETag, and left out with a weak one', async () => {
    const ifRange = async () => {
      await read(await probe(), { start: 5, end: 9 })
      return server.seen.at(-1)!.ifRange
    }
    file.etag = 'W/"v1"'
    expect(await ifRange()).toBeUndefined()
    delete file.etag
    expect(await ifRange()).toBe(file.lastModified)
    delete file.lastModified
    expect(await ifRange()).toBeUndefined()
  })

  test.each<[string, Partial<ServedFile>, RegExp]>([
    ['ETag', { etag: '"v2"' }, /changed on the server while it was read: it was "v1", .* and is "v2"/],
    ['length', { bytes: bytes.subarray(0, 900_000) }, /1000000 bytes, and is .*900000 bytes/],
  ])('another %s after a drop is an error', async (_, change, message) => {
    const remote = await probe()
    server.misbehave = (turn, _seen, response) => {
      if (turn > 0) return false
      drop(response, 0, 1000)
      Object.assign(file, change)
      return true
    }
    expect((await failure(read(remote))).message).toMatch(message)
  })
  test('another date is an error where there is no ETag', async () => {
    delete file.etag
    const remote = await probe()
    file.lastModified = 'Thu, 22 Oct 2015 07:28:00 GMT'
    expect((await failure(read(remote, { start: 9 }))).message).toMatch(/changed on the server/)
  })
  test.each<[string, string | null, RegExp]>([
    ['another start', 'bytes 99-999999/1000000', /asked for the bytes from 100, .* Content-Range "bytes 99-/],
    ['an end before the start', 'bytes 100-99/1000000', /Content-Range "bytes 100-99/],
    ['more than asked for', 'bytes 100-300/1000000', /Content-Range "bytes 100-300/],
    ['none', null, /206 with no Content-Range/],
    ['nonsense', 'bytes abc', /Content-Range "bytes abc"/],
    ['another length', 'bytes 100-199/5', /changed on the server/],
  ])('Content-Range: %s', async (_, header, message) => {
    const remote = await probe()
    server.misbehave = (_turn, _seen, response) => {
      response.writeHead(206, { ...versionHeaders(file), ...(header ? { 'content-range': header } : {}) })
      response.end(bytes.subarray(100, 200))
      return true
    }
    expect((await failure(read(remote, { start: 100, end: 200 }))).message).toMatch(message)
  })
  test('a body longer than its range', async () => {
    const remote = await probe()
    server.misbehave = (_turn, _seen, response) => {
      response.writeHead(206, { ...versionHeaders(file), 'content-range': 'bytes 100-149/1000000' })
      response.end(bytes.subarray(100, 300))
      return true
    }
    expect((await failure(read(remote, { start: 100, end: 200 }))).message).toMatch(
      /sends more than the 150 bytes/,
    )
  })
  test('bodies that end early are read on, and given up when nothing more comes', async () => {
    const remote = await probe()
    server.misbehave = (_turn, { range }, response) => {
      const from = Number(/\d+/.exec(range ?? '0'))
      response.writeHead(206, { ...versionHeaders(file), 'content-range': `bytes ${from}-199/1000000` })
      response.end(bytes.subarray(from, Math.min(from + 30, 160)))
      return true
    }
    const { message } = await failure(read(remote, { start: 100, end: 200 }))
    expect(message).toMatch(/at byte 160: its body ends at byte 160 of 200 \(4 tries\)$/)
    const starts = ['100', '130', '160', '160', '160']
    expect(server.ranges()).toEqual(starts.map((start) => `/a.tar bytes=${start}-199`))
  })
  test('a server that sends less than asked for is asked for the rest, without a pause', async () => {
    const remote = await probe()
    server.misbehave = (_turn, { range }, response) => {
      const from = Number(/\d+/.exec(range ?? '0'))
      const to = Math.min(from + 100_000, bytes.length)
      const headers = { ...versionHeaders(file), 'content-range': `bytes ${from}-${to - 1}/1000000` }
      response.writeHead(206, headers).end(bytes.subarray(from, to))
      return true
    }
    const start = performance.now()
    const chunks: Uint8Array[] = []
    const slow = { ...policy, firstPauseMs: 60_000, longestPauseMs: 60_000 }
    for await (const chunk of readBytes(remote, { start: 1, policy: slow })) chunks.push(chunk)
    expect(Buffer.concat(chunks).equals(bytes.subarray(1))).toBe(true)
    expect(performance.now() - start).toBeLessThan(5000)
  })
  test.each([403, 404, 410, 418])('%i is final', async (status) => {
    const remote = await probe()
    server.misbehave = (_turn, _seen, response) => {
      response.writeHead(status).end()
      return true
    }
    expect((await failure(read(remote))).message).toMatch(
      new RegExp(`cannot read .*the server answers ${status} `),
    )
    expect(server.ranges()).toHaveLength(1)
  })
  test('500 for good is given up after all tries', async () => {
    const remote = await probe()
    server.misbehave = (_turn, _seen, response) => {
      response.writeHead(500).end()
      return true
    }
    expect((await failure(read(remote))).message).toMatch(/at byte 0: the server answers 500 .* \(4 tries\)$/)
    expect(server.ranges()).toHaveLength(4)
  })
  test('a compressed body is refused', async () => {
    const remote = await probe()
    server.misbehave = (_turn, _seen, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end()
      return true
    }
    expect((await failure(read(remote))).message).toMatch(/is sent compressed \(gzip\)/)
  })
  test('nothing more is sent while the caller does not read, and no request is left behind', async () => {
    file.bytes = Buffer.alloc(2 ** 26)
    const remote = await probe()
    const reading = readBytes(remote, { policy })
    await reading.next()
    await sleep(2 * policy.stallMs)
    const seen = server.seen.at(-1)!
    expect(seen.sent).toBeLessThan(2 ** 24)
    expect(server.ranges()).toHaveLength(1)
    await reading.return()
    await sleep(50)
    expect(seen.closed).toBe(true)
  })
  test('an abort ends a request, and a pause between two, with its reason', async () => {
    const remote = await probe()
    server.misbehave = (turn, _seen, response) => (turn === 0 ? drop(response, 0, 1000) : true)
    for (const slow of [policy, { ...policy, firstPauseMs: 60_000, longestPauseMs: 60_000 }]) {
      const controller = new AbortController()
      const reading = readBytes(remote, { policy: slow, signal: controller.signal })
      const rest = (async () => {
        for await (const _ of reading);
      })()
      setTimeout(() => controller.abort(new Error('enough')), 100)
      await expect(rest).rejects.toThrow('enough')
    }
  })
})

describe('probeFile', () => {
  test('asks by GET where HEAD is refused', async () => {
    server.misbehave = (_turn, { method }, response) => {
      if (method !== 'HEAD') return false
      response.writeHead(405).end()
      return true
    }
    expect(await probe()).toMatchObject({ etag: '"v1"', length: 1_000_000 })
    expect(server.ranges()).toEqual(['/a.tar bytes=0-0'])
  })
  test('follows redirects', async () => {
    server.files.set('/old.tar', { bytes: Buffer.alloc(0) })
    server.misbehave = (_turn, { path }, response) => {
      if (path !== '/old.tar') return false
      response.writeHead(302, { location: '/a.tar' }).end()
      return true
    }
    const remote = await probeFile(`${server.url}/old.tar`, policy)
    expect(remote.length).toBe(1_000_000)
    isAll(await read(remote))
  })
  test('user and password are sent, and never shown', async () => {
    const url = `${server.url.replace('//', '//us%20er:secret@')}/a.tar?key=secret`
    isAll(await read(await probeFile(url, policy)))
    expect(server.seen.map(({ authorization }) => authorization)).toEqual(
      Array(2).fill(`Basic ${btoa('us er:secret')}`),
    )
    server.files.delete('/a.tar')
    const { message, hint } = await failure(probeFile(url, policy))
    expect(message).toMatch(/a\.tar\?\.\.\.: the server answers 404 Not Found$/)
    expect(message + hint).not.toContain('secret')
  })
  test('a server that is not there', async () => {
    const { url } = server
    await server.close()
    const error = await probeFile(`${url}/a.tar`, policy).catch((e) => e)
    expect(error.message).toMatch(/cannot read http:.*ECONNREFUSED.* \(4 tries\)$/)
    server = await startShardServer()
  })
})

test('Retry-After: seconds, a date, nonsense, and at most two minutes', () => {
  const now = Date.parse('2015-10-21T07:28:00Z')
  const of = (header: string | null) => retryAfterMs(header, now)
  expect([of(null), of('3'), of('99999'), of('soon')]).toEqual([0, 3000, 120_000, 0])
  expect(of('Wed, 21 Oct 2015 07:28:07 GMT')).toBe(7000)
  expect(of('Wed, 21 Oct 2015 07:27:00 GMT')).toBe(0)
})
