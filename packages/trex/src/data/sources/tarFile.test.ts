import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { extract, pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { header, member } from '../../../test/hostileTarsBuild.js'
import { TrexError } from '../../errors.js'
import { readTarFile, sameBytes } from './tarFile.js'
import type { TarEntry } from './tarParser.js'
import { openTarStream } from './tarStream.js'

let root: string
let path: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'trex-tar-'))
  path = join(root, 'x.tar')
})
afterAll(() => rm(root, { recursive: true }))

async function readFile(bytes: Uint8Array): Promise<TarEntry[]> {
  await writeFile(path, bytes)
  const entries: TarEntry[] = []
  await readTarFile(path, (entry) => entries.push(entry), { wants: (_, size) => size < 100 })
  return entries
}

function readStream(bytes: Uint8Array, cuts: readonly number[], length: number | null): TarEntry[] {
  const entries: TarEntry[] = []
  const wants = (_: string, size: number) => size < 100
  const tar = openTarStream({ archive: path, length, wants }, (entry) => entries.push(entry))
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  for (const [i, place] of places.entries()) tar.write(bytes.subarray(place, places[i + 1]))
  tar.end()
  return entries
}

const part = fc.stringMatching(/^[a-zA-Z0-9äé漢🦖 _()-]{1,60}$/u).filter((text) => !/^[a-z]$/i.test(text))
const anyName = fc.array(part, { minLength: 1, maxLength: 8 }).map((parts) => parts.join('/'))
const anyMembers = fc.uniqueArray(fc.record({ name: anyName, data: fc.uint8Array({ maxLength: 1500 }) }), {
  maxLength: 8,
  selector: ({ name }) => name,
})

async function write(members: readonly { name: string; data: Uint8Array }[]): Promise<Buffer> {
  const tar = pack()
  for (const { name, data } of members) tar.entry({ name }, Buffer.from(data))
  tar.finalize()
  return buffer(tar)
}

describe('readTarFile and openTarStream', () => {
  test('find what tar-stream has written', async () => {
    await fc.assert(
      fc.asyncProperty(anyMembers, fc.array(fc.nat(), { maxLength: 20 }), async (members, cuts) => {
        const bytes = await write(members)
        const entries = await readFile(bytes)
        expect(entries.map(({ name, size, type }) => [name, size, type])).toEqual(
          members.map(({ name, data }) => [name, data.length, 'file']),
        )
        for (const [i, { offset, size, content }] of entries.entries()) {
          const data = Buffer.from(members[i]!.data)
          expect(bytes.subarray(offset, offset + size).equals(data)).toBe(true)
          if (size < 100) expect(Buffer.from(content!).equals(data)).toBe(true)
          else expect(content).toBeUndefined()
        }
        expect(readStream(bytes, cuts, bytes.length)).toEqual(entries)
        expect(readStream(bytes, cuts, null)).toEqual(entries)
      }),
      { numRuns: 60 },
    )
  })

  test('an archive with any bytes changed or cut off is read, or is a TrexError, the same in both ways', async () => {
    const good = await write([
      { name: 'a/1.jpg', data: Buffer.from('one') },
      { name: `${'long/'.repeat(50)}2.jpg`, data: Buffer.alloc(700, 1) },
      { name: 'é.cls', data: Buffer.from('3') },
    ])
    const changes = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(
        changes,
        fc.integer({ min: 0, max: good.length }),
        fc.boolean(),
        async (list, end, cut) => {
          const bytes = Buffer.from(cut ? good.subarray(0, end) : good)
          for (const [at, value] of list) if (at < bytes.length) bytes[at] = value
          const ofFile = await readFile(bytes).catch((error) => error)
          if (ofFile instanceof Error) expect(ofFile).toBeInstanceOf(TrexError)
          let streamed: unknown
          try {
            streamed = readStream(bytes, [100, 1000], bytes.length)
          } catch (error) {
            streamed = error
          }
          if (ofFile instanceof Error) expect((streamed as Error).message).toBe(ofFile.message)
          else expect(streamed).toEqual(ofFile)
        },
      ),
      { numRuns: 150 },
    )
  })

  test('digests tell members of a stream apart as their bytes do', async () => {
    const members = ['same bytes', 'same bytes', 'other byte'].map((text, i) => ({
      name: `m${i}.jpg`,
      data: Buffer.from(text.repeat(50)),
    }))
    const bytes = await write(members)
    const offsets = (await readFile(bytes)).map(({ offset }) => offset)
    const tar = openTarStream({ archive: path, length: null }, () => {})
    for (let at = 0; at < bytes.length; at += 100) tar.write(bytes.subarray(at, at + 100))
    tar.end()
    const [a, b, c] = offsets.map((offset) => tar.digest(offset))
    expect([a === b, a === c]).toEqual([true, false])
    expect(await sameBytes(path, offsets[0]!, offsets[1]!, 500)).toBe(true)
    expect(await sameBytes(path, offsets[0]!, offsets[2]!, 500)).toBe(false)
  })

  test('the builder of the hostile archives writes what tar-stream reads', async () => {
    const bytes = Buffer.concat([
      member('a/1.jpg', 'one'),
      header({ name: 'b/', type: '5' }),
      Buffer.alloc(1024),
    ])
    const names: string[] = []
    const reader = extract()
    reader.on('entry', ({ name, type }, stream, next) => {
      names.push(`${type} ${name}`)
      stream.on('end', next).resume()
    })
    Readable.from([bytes]).pipe(reader)
    await new Promise((resolve, reject) => reader.on('finish', () => resolve(null)).on('error', reject))
    expect(names).toEqual(['file a/1.jpg', 'directory b/'])
  })
})

describe('only headers are read', () => {
  const heap = () => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers

  test('of 20,000 members of 1 MB in a file of holes', async () => {
    const file = await open(path, 'w')
    const size = 1_000_000
    const stride = 512 + Math.ceil(size / 512) * 512
    for (let i = 0; i < 20_000; i++) {
      await file.write(header({ name: `a/${i}.jpg`, size }), 0, 512, i * stride)
    }
    await file.truncate(20_000 * stride + 1024)
    await file.close()
    const before = heap()
    let count = 0
    let last = 0
    await readTarFile(path, ({ offset }) => {
      count++
      last = offset
    })
    expect([count, last]).toEqual([20_000, 19_999 * stride + 512])
    expect(heap() - before).toBeLessThan(40 * 2 ** 20)
  })

  test('of 100,000 small members the data is not kept', async () => {
    const one = Buffer.concat(
      Array.from({ length: 1000 }, (_, i) => member(`folder/${i}.jpg`, 'x'.repeat(400))),
    )
    const file = await open(path, 'w')
    for (let i = 0; i < 100; i++) await file.write(one)
    await file.write(Buffer.alloc(1024))
    await file.close()
    const before = heap()
    let count = 0
    await readTarFile(path, () => {
      count++
    })
    expect(count).toBe(100_000)
    expect(heap() - before).toBeLessThan(80 * 2 ** 20)
  })
})

test('what is no file is an error that says what it is', async () => {
  await expect(readTarFile(root, () => {})).rejects.toThrow(/is a folder, not a tar archive/)
  await expect(readTarFile(join(root, 'none.tar'), () => {})).rejects.toThrow(
    /none\.tar: there is no such file/,
  )
  await expect(readTarFile('/dev/zero', () => {})).rejects.toThrow(/is no regular file/)
})
