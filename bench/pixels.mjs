/**
 * The pixel operations of a training step on real images, on one core: the plain ones against the fast ones.
 *
 *   taskset -c 0 node bench/pixels.mjs FOLDER [--rounds 5] [--recipe trex] [--json]
 *
 * FOLDER holds image files; they are decoded up front. All crops of the recipe are made of each: ms an image.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as data from '../packages/trex/dist/data/index.js'
import { fillCrops } from '../packages/trex/dist/data/pixels/fast/fillCrops.js'
import { Pixels } from '../packages/trex/dist/data/pixels/fast/pixels.js'
import { RECIPES } from '../packages/trex/dist/recipes.js'
import { cropGroups } from '../packages/trex/dist/settings.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    recipe: { type: 'string', default: 'trex' },
    json: { type: 'boolean', default: false },
  },
})
const folder = positionals[0]
const recipe = RECIPES.get(values.recipe)
if (folder === undefined || recipe === undefined) {
  console.error('usage: node bench/pixels.mjs FOLDER [--rounds 5] [--recipe trex] [--json]')
  process.exit(1)
}

const names = (await readdir(folder)).filter((name) => /\.(jpe?g|png|webp)$/i.test(name)).sort()
const images = []
for (const name of names) images.push(await data.decodeImage(join(folder, name)))

const groups = cropGroups(recipe)
const table = data.normalizationTable(data.IMAGENET_NORMALIZATION)
const targets = groups.map(
  ({ count, size }) => new Float32Array(new SharedArrayBuffer(count * 3 * size * size * 4)),
)
const pixels = new Pixels()
const key = (sample) => ({ seed: 1, epoch: 0, sample })

/** Parts of the work and the time each took, in ms. */
class Clock {
  parts = { resize: 0, color: 0, blur: 0, normalize: 0 }
  time(part, work) {
    const start = performance.now()
    const result = work()
    this.parts[part] += performance.now() - start
    return result
  }
}

/** Calls `visit` with what is drawn for each crop, its group and its place there. */
function forEachCrop(image, sample, visit) {
  for (const [g, crops] of data.sampleCrops(image, groups, key(sample)).entries())
    for (const [i, drawn] of crops.entries()) visit(drawn, g, i)
}

/** The crops of one image with the plain functions, each part timed. */
function plain(image, sample, clock) {
  forEachCrop(image, sample, (drawn, g, i) => {
    const { size } = groups[g]
    const crop = clock.time('resize', () => data.resizeImage(image, size, size, drawn.filter, drawn.box))
    clock.time('color', () => {
      if (drawn.flip) data.flipHorizontal(crop)
      if (drawn.jitter) data.applyJitter(crop, drawn.jitter)
      if (drawn.gray) data.toGrayscale(crop)
    })
    if (drawn.blur !== null) clock.time('blur', () => data.gaussianBlur(crop, drawn.blur))
    if (drawn.solarize !== null) clock.time('color', () => data.solarize(crop, drawn.solarize))
    clock.time('normalize', () => data.writeNormalized(crop, table, targets[g], i * crop.data.length))
  })
}

/** The same with the fast ones; the copy of the image counts as resizing. */
function fast(image, sample, clock) {
  clock.time('resize', () => pixels.load(image))
  forEachCrop(image, sample, (drawn, g, i) => {
    const { size } = groups[g]
    clock.time('resize', () => pixels.resize(size, size, drawn.filter, drawn.box, drawn.flip))
    clock.time('color', () => {
      if (drawn.jitter) pixels.jitter(drawn.jitter)
      if (drawn.gray) pixels.grayscale()
    })
    if (drawn.blur !== null) clock.time('blur', () => pixels.blur(drawn.blur))
    if (drawn.solarize !== null) clock.time('color', () => pixels.solarize(drawn.solarize))
    clock.time('normalize', () => pixels.writeNormalized(table, targets[g], i * 3 * size * size))
  })
}

function fastWhole(image, sample) {
  fillCrops(pixels, image, groups, key(sample), { targets, batch: 1, row: 0, table })
}

/** ms of each part and of the whole of one pass over the images. */
function pass(work) {
  const clock = new Clock()
  const start = performance.now()
  images.forEach((image, sample) => {
    work(image, sample, clock)
  })
  return { ...clock.parts, total: performance.now() - start }
}

/** ms an image: of each part, the median of the passes. */
function medians(passes) {
  const middle = (part) => {
    const sorted = passes.map((times) => times[part]).sort((a, b) => a - b)
    return sorted[sorted.length >> 1] / images.length
  }
  return Object.fromEntries(Object.keys(passes[0]).map((part) => [part, middle(part)]))
}

// The first pass of each warms up; then they take turns, so that a busy machine slows all alike.
for (const work of [plain, fast, fastWhole]) pass(work)
const passes = { plain: [], fast: [], whole: [] }
for (let round = 0; round < Number(values.rounds); round++) {
  passes.plain.push(pass(plain))
  passes.fast.push(pass(fast))
  passes.whole.push(pass(fastWhole))
}
const result = { plain: medians(passes.plain), fast: medians(passes.fast) }
result.fast.total = medians(passes.whole).total

if (values.json) {
  const meanPixels = images.reduce((sum, { width, height }) => sum + width * height, 0) / images.length
  console.log(JSON.stringify({ images: images.length, meanPixels, recipe: values.recipe, ...result }))
} else {
  console.log(`${images.length} images, recipe ${values.recipe}: ms an image\n`)
  console.log('            plain     fast    ratio')
  for (const part of Object.keys(result.plain)) {
    const [a, b] = [result.plain[part], result.fast[part]]
    console.log(
      `${part.padEnd(10)}${a.toFixed(2).padStart(7)}${b.toFixed(3).padStart(9)}${(a / b).toFixed(1).padStart(9)}`,
    )
  }
}
