/**
 * Streams 10,000 JPEG images of 500 x 375 out of tar shards through the loader (2 workers, the crops of recipe trex),
 * once from files and once from a server, each in a process of its own, and watches resident memory: its median over the
 * last 2,000 images must be less than 5 % above that over images 2,000 to 4,000 (collections make it go up and down). Exit code 1 otherwise. Takes some minutes and 250 MB in the folder for temporary files.
 */
import { execFileSync, spawn } from 'node:child_process'
import {
  createReadStream,
  createWriteStream,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { sampleJpegs } from '../bench/sampleJpegs.mjs'
import { median } from '../bench/statistics.mjs'

const IMAGES = 10_000
const SHARDS = 10
const SETTLED = 2_000

if (process.argv[2]) await stream(process.argv[2])
else await main()

async function main() {
  const root = mkdtempSync(join(tmpdir(), 'trex-shards-'))
  try {
    await writeShards(root)
    const server = await serve(root)
    const url = `http://127.0.0.1:${server.address().port}`
    const env = { ...process.env, XDG_CACHE_HOME: join(root, 'cache') }
    let failed = false
    for (const spec of [`wds:${root}/shard-{0..9}.tar`, `wds:${url}/shard-{0..9}.tar`]) {
      const child = spawn(process.execPath, [fileURLToPath(import.meta.url), spec], {
        env,
        stdio: 'inherit',
      })
      failed = (await new Promise((done) => child.on('close', done))) !== 0 || failed
    }
    server.close()
    process.exitCode = failed ? 1 : 0
  } finally {
    rmSync(root, { recursive: true })
  }
}

/** Shards with the classes a and b in folders, from a few pictures that come again and again. */
async function writeShards(root) {
  const { pack } = createRequire(new URL('../packages/trex/package.json', import.meta.url))('tar-stream')
  const pictures = join(root, 'pictures')
  execFileSync('mkdir', [pictures])
  await sampleJpegs(pictures, 20)
  const files = readdirSync(pictures).map((name) => readFileSync(join(pictures, name)))
  for (let s = 0; s < SHARDS; s++) {
    const archive = pack()
    const out = createWriteStream(join(root, `shard-${s}.tar`))
    archive.pipe(out)
    for (let i = 0; i < IMAGES / SHARDS; i++) {
      const bytes = files[i % files.length]
      if (!archive.entry({ name: `photos/${'ab'[i % 2]}/${s}-${i}.jpg` }, bytes))
        await new Promise((done) => archive.once('drain', done))
    }
    archive.finalize()
    await finished(out)
  }
}

async function serve(root) {
  const server = createServer((request, response) => {
    const path = join(root, request.url)
    const { size } = statSync(path)
    const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '')
    const start = Number(range?.[1] ?? 0)
    const end = Number(range?.[2] || size - 1)
    response.writeHead(range ? 206 : 200, {
      'content-length': end - start + 1,
      etag: '"1"',
      ...(range && { 'content-range': `bytes ${start}-${end}/${size}` }),
    })
    if (request.method === 'HEAD') response.end()
    else createReadStream(path, { start, end }).pipe(response)
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return server
}

/** One pass over all images. */
async function stream(spec) {
  const { openDataset, openLoader } = await import('../packages/trex/dist/data/index.js')
  const { cropGroups, resolveSettings } = await import('../packages/trex/dist/index.js')
  const data = await openDataset(spec, { valFraction: 0, shuffleBuffer: 500 })
  const groups = cropGroups(resolveSettings({ recipe: 'trex' }))
  const rest = data.stream ? { stream: data.stream } : {}
  const loader = openLoader({ samples: data.train, groups, batchSize: 20, workers: 2, ...rest })
  const mebibytes = () => process.memoryUsage.rss() / 2 ** 20
  let images = 0
  const [early, late] = [[], []]
  for await (const batch of loader.epoch(0)) {
    images += batch.size
    batch.release()
    if (images > SETTLED && images <= 2 * SETTLED) early.push(mebibytes())
    if (images > IMAGES - SETTLED) late.push(mebibytes())
    if (images % 2000 === 0)
      console.log(
        `${spec.startsWith('wds:http') ? 'server' : 'files'}: ${images} images, ${mebibytes().toFixed(1)} MiB`,
      )
  }
  const growth = 100 * (median(late) / median(early) - 1)
  await loader.close()
  console.log(
    `resident memory: ${median(early).toFixed(1)} MiB, then ${median(late).toFixed(1)}: ${growth.toFixed(2)} %`,
  )
  process.exitCode = images === IMAGES && growth < 5 ? 0 : 1
}
