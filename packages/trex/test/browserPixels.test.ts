import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { multiCrop, normalizationTable, writeNormalized } from '../src/data/pixels/index.js'
import { cropGroups, resolveSettings } from '../src/index.js'
import { goldenImage } from './augmentGolden.js'

const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const dist = fileURLToPath(new URL('../dist/', import.meta.url))

const settings = resolveSettings({ recipe: 'trex', flags: { imageSize: 64 } })
const groups = cropGroups(settings)
const { normalization } = settings
const key = { seed: 5, epoch: 1, sample: 2 }
const image = goldenImage('A.input')

/** A page that makes the crops with the fast pixels, and shows their SHA-256. */
const page = `<!doctype html><title>crops</title><pre id="answer">no answer</pre><script type="module">
  const show = (text) => { document.querySelector('#answer').textContent = text }
  try {
    const { fillCrops, normalizationTable, Pixels } = await import('/data/pixels/index.js')
    const { image, groups, normalization, key } = ${JSON.stringify({ image: { ...image, data: [...image.data] }, groups, normalization, key })}
    const targets = groups.map(({ count, size }) => new Float32Array(count * 3 * size * size))
    const table = normalizationTable(normalization)
    const picture = { ...image, data: Uint8Array.from(image.data) }
    fillCrops(new Pixels(), picture, groups, key, { targets, batch: 1, row: 0, table })
    let answer = ''
    for (const target of targets)
      answer += [...new Uint8Array(await crypto.subtle.digest('SHA-256', target))].map((b) => b.toString(16).padStart(2, '0')).join('') + ' '
    show(answer)
  } catch (error) { show(String(error)) }
</script>`

/** The text that the page shows. */
async function shown(): Promise<string> {
  const server = createServer(async (request, response) => {
    if (request.url === '/') return void response.setHeader('content-type', 'text/html').end(page)
    response.setHeader('content-type', 'text/javascript')
    response.end(await readFile(join(dist, request.url!)).catch(() => ''))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const profile = await mkdtemp(join(tmpdir(), 'trex-chromium-'))
  const flags = [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
    ...['--disable-background-networking', '--disable-component-update', `--user-data-dir=${profile}`],
    ...['--virtual-time-budget=20000', '--dump-dom'],
  ]
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const { stdout } = await promisify(execFile)(chromium!, [...flags, url], { timeout: 60_000 })
    return /<pre id="answer">(.*?)<\/pre>/s.exec(stdout)?.[1]?.trim() ?? stdout
  } finally {
    server.closeAllConnections()
    server.close()
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

describe.skipIf(!chromium)(`in a browser${chromium ? '' : ' (skipped: there is no Chromium here)'}`, () => {
  test('the fast pixels give the crops of the plain ones, to the bit', async () => {
    const table = normalizationTable(normalization)
    const hashes = multiCrop(image, groups, key).map((crops) => {
      const hash = createHash('sha256')
      for (const crop of crops) {
        const values = new Float32Array(crop.data.length)
        writeNormalized(crop, table, values, 0)
        hash.update(new Uint8Array(values.buffer))
      }
      return hash.digest('hex')
    })
    expect(await shown()).toBe(hashes.join(' '))
  })
})
