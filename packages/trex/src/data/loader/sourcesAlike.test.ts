import { createReadStream, createWriteStream, statSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import sharp from 'sharp'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TREX } from '../../recipes.js'
import { rngFor } from '../../rng.js'
import { cropGroups } from '../../settings.js'
import { openDataset } from '../sources/openDataset.js'
import type { ImageDataset } from '../sources/sample.js'
import { collectBadImages } from './badImages.js'
import { type LoaderOptions, openLoader } from './loader.js'

const groups = cropGroups({
  ...TREX,
  globalCrops: { ...TREX.globalCrops, size: 24 },
  localCrops: { ...TREX.localCrops, count: 2, size: 16 },
})
const IMAGES = 22

let root: string
let url: string
let server: Server
let folder: ImageDataset
let tar: ImageDataset
let remote: ImageDataset
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'trex-alike-'))
  const archives = [pack(), pack(), pack()]
  const written = archives.map((archive, i) =>
    pipeline(archive, createWriteStream(join(root, `shard-${i}.tar`))),
  )
  const whole = pack()
  const wholeWritten = pipeline(whole, createWriteStream(join(root, 'whole.tar')))
  for (let i = 0; i < IMAGES; i++) {
    const rng = rngFor(i)
    const coarse = Uint8Array.from({ length: 8 * 8 * 3 }, () => rng.int(256))
    const image = sharp(coarse, { raw: { width: 8, height: 8, channels: 3 } })
    const bytes = await image
      .resize(30 + i, 50 - i, { fit: 'fill' })
      .jpeg()
      .toBuffer()
    const name = `photos/${['cat', 'dog', 'eel'][i % 3]}/${i}.jpg`
    await mkdir(join(root, 'tree', name, '..'), { recursive: true })
    await writeFile(join(root, 'tree', name), bytes)
    // The order of members plays no part.
    whole.entry({ name: `photos/${name.slice(7)}` }, bytes)
    archives[i % 3]!.entry({ name }, bytes)
  }
  for (const archive of [whole, ...archives]) archive.finalize()
  await Promise.all([...written, wholeWritten])
  server = createServer((request, response) => {
    const path = join(root, request.url!)
    const { size } = statSync(path)
    const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '')
    const [start, end] = range ? [Number(range[1]), range[2] ? Number(range[2]) : size - 1] : [0, size - 1]
    response.writeHead(range ? 206 : 200, {
      'content-length': end - start + 1,
      etag: '"1"',
      'accept-ranges': 'bytes',
      ...(range && { 'content-range': `bytes ${start}-${end}/${size}` }),
    })
    if (request.method === 'HEAD') response.end()
    else createReadStream(path, { start, end }).pipe(response)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  process.env.XDG_CACHE_HOME = join(root, 'cache')
  const options = { valFraction: 0.2, seed: 4 }
  folder = await openDataset(join(root, 'tree/photos'), options)
  tar = await openDataset(`wds:${root}/whole.tar`, options)
  remote = await openDataset(`${url}/shard-{0..2}.tar`, { ...options, shuffleBuffer: 5 })
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await rm(root, { recursive: true, force: true })
})

async function collect(data: ImageDataset, options: Partial<LoaderOptions> = {}, epoch = 2, start = 0) {
  const { stream } = data
  await using loader = openLoader({
    ...{ samples: data.train, groups, batchSize: 4, seed: 9, dropLast: false },
    ...(stream && { stream }),
    ...options,
  })
  const batches = []
  for await (const batch of loader.epoch(epoch, start)) {
    const { index, indices, labels } = batch
    batches.push({ index, indices, labels, crops: batch.crops.map((crop) => Float32Array.from(crop)) })
    batch.release()
  }
  return batches
}

const VARIANTS = [
  { workers: 0, prefetch: 0 },
  { workers: 1, prefetch: 5 },
  { workers: 2, prefetch: 0 },
  { workers: 2, prefetch: 2 },
  { workers: 4, prefetch: 1 },
]

describe('batches are the same bits', () => {
  test('a tree of folders and an archive of it have the same samples', () => {
    expect(tar.classes).toEqual(folder.classes)
    for (const part of ['train', 'val'] as const) {
      expect(folder[part].length).toBeGreaterThan(2)
      const names = (data: ImageDataset) =>
        data[part].map(({ path, label }) => [path.split('/').at(-1), label])
      expect(names(tar)).toEqual(names(folder))
    }
  })

  test.each(VARIANTS)(
    'from a folder and from an archive, with $workers workers and a prefetch of $prefetch',
    async (variant) => {
      const expected = await collect(folder)
      expect(expected.length).toBe(5)
      expect(await collect(folder, variant)).toEqual(expected)
      expect(await collect(tar, variant)).toEqual(expected)
      expect(await collect(tar, variant, 2, 3)).toEqual(expected.slice(3))
    },
  )

  test.each(VARIANTS)('from a server, with $workers workers and a prefetch of $prefetch', async (variant) => {
    const expected = await collect(remote)
    const seen = expected.flatMap(({ indices }) => [...indices])
    expect(seen.toSorted((a, b) => a - b)).toEqual(remote.train.map((_, i) => i))
    expect(seen).not.toEqual(remote.train.map((_, i) => i))
    expect(await collect(remote, variant)).toEqual(expected)
    expect(await collect(remote, variant, 2, 2)).toEqual(expected.slice(2))
  })

  test('a member on a server that must not be used is left out like any bad image', async () => {
    const linked = pack()
    const written = pipeline(linked, createWriteStream(join(root, 'linked.tar')))
    linked.entry({ name: 'cat/link.jpg', type: 'symlink', linkname: '/etc/passwd' })
    for (const { path, label } of folder.train.slice(0, 8))
      linked.entry({ name: `${label ? 'cat' : 'dog'}/${path.split('/').at(-1)}` }, await readFile(path))
    linked.finalize()
    await written
    const data = await openDataset(`${url}/linked.tar`, { valFraction: 0 })
    await expect(collect(data)).rejects.toThrow(/cat\/link\.jpg is not used: it is a symbolic link/)
    const bad = collectBadImages({ onBad: 'skip', maxBad: 1 })
    const seen = (await collect(data, { bad })).flatMap(({ indices }) => [...indices])
    expect(seen).toHaveLength(8)
    expect([...bad.skipped.keys()]).toEqual([`${url}/linked.tar/cat/link.jpg`])
  })

  test('a sample on a server has the crops of the same file', async () => {
    const [batch] = await collect(remote, { batchSize: 1 })
    const place = batch!.indices[0]!
    const name = remote.train[place]!.path.split('/').slice(-2).join('/')
    // Crops are drawn by a sample's number, so the file takes the same place in a list of its own.
    const files = remote.train.map(() => ({ path: join(root, 'tree/photos', name), label: 0 }))
    const fromFile = await collect({ ...folder, train: files }, { batchSize: 1 })
    expect(fromFile.find(({ indices }) => indices[0] === place)!.crops).toEqual(batch!.crops)
  })
})
