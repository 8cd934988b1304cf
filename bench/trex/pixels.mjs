/** Decode and nine augmented crops of each image, as a data worker of `trex train` does it, on one core. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
// The engine is loaded beside the data workers, and with it its settings of malloc.
import '../../packages/torch/dist/index.js'
import { decodeImage, IMAGENET_NORMALIZATION } from '../../packages/trex/dist/data/index.js'
import { createFillRows } from '../../packages/trex/dist/data/loader/fillRows.js'
import { cropGroups, RECIPES } from '../../packages/trex/dist/index.js'

const { images, names, seed } = JSON.parse(process.argv[2])
/** @type {Uint8Array[]} */
const files = names.map((/** @type {string} */ name) => readFileSync(join(images, name)))
const groups = cropGroups(/** @type {any} */ (RECIPES.get('trex')))
const fillRows = createFillRows({ normalization: IMAGENET_NORMALIZATION, decode: {}, cacheBytes: 0 })
const job = {
  transform: /** @type {const} */ ({ kind: 'multiCrop', groups, seed, epoch: 0 }),
  size: 1,
  targets: groups.map(({ count, size }) => new Float32Array(count * 3 * size * size)),
  skipBad: false,
  cancelled: new Int32Array(new SharedArrayBuffer(4)),
}

/** @param {number} index */
async function fill(index) {
  const place = index % files.length
  const at = /** @type {const} */ ({ kind: 'remote', url: '', offset: 0, length: files[place].length })
  const item = { row: 0, index, sample: { path: names[place], label: 0, at }, bytes: files[place] }
  const bad = await fillRows({ ...job, items: [item], readAhead: false })
  if (bad.length > 0) throw new Error(bad[0].message)
}

const answer = (/** @type {unknown} */ value) => process.stdout.write(`${JSON.stringify(value)}\n`)
answer({ ready: { node: process.version, threads: 1 } })
let next = 0
for await (const line of createInterface({ input: process.stdin })) {
  const count = Number(line.split(' ')[1])
  let [decode, all] = [0, 0]
  for (let i = 0; i < count; i++, next++) {
    let start = performance.now()
    await decodeImage(files[next % files.length])
    decode += performance.now() - start
    start = performance.now()
    await fill(next)
    all += performance.now() - start
  }
  answer({ images: count, decode: decode / 1000, crops: (all - decode) / 1000 })
}
