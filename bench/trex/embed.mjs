/** `trex embed` on JPEG files; or onnxruntime-node alone on their pixels, prepared before. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import {
  computerOf,
  embedToFile,
  embedWorkers,
  identityOf,
} from '../../packages/trex/dist/cli/embedToFile.js'
import { lowerThreads } from '../../packages/trex/dist/cli/lowerThreads.js'
import { decodeImage } from '../../packages/trex/dist/data/decode/decode.js'
import { openSession } from '../../packages/trex/dist/embed/loadEncoder.js'
import { graphOf } from '../../packages/trex/dist/embed/model.js'
import { openModel } from '../../packages/trex/dist/embed/openModel.js'
import { preprocessor } from '../../packages/trex/dist/embed/preprocess.js'
import { options, serve } from './serve.mjs'

const { program, engine, dtype, threads, workers, weights, images, batch: count, batchSize, size } = options()
const jpegs = readdirSync(images)
  .filter((name) => /\.jpe?g$/i.test(name))
  .sort()
const samples = Array.from({ length: count }, (_, i) => ({
  path: join(images, jpegs[i % jpegs.length]),
  label: 0,
}))
const model = openModel(weights, { imageSize: size })

/** Batches of prepared pixels, through a session of onnxruntime-node as its documentation opens one. */
async function ofTensors() {
  const session = await InferenceSession.create(graphOf(model, 'fp32'), { intraOpNumThreads: threads })
  const { write, size: side } = preprocessor(model.description.preprocess)
  /** @type {Tensor[]} */
  const batches = []
  for (let at = 0; at < count; at += batchSize) {
    const some = samples.slice(at, at + batchSize)
    const pixels = new Float32Array(some.length * 3 * side * side)
    for (const [row, { path }] of some.entries()) write(await decodeImage(path), pixels, row)
    batches.push(new Tensor('float32', pixels, [some.length, 3, side, side]))
  }
  return async () => {
    let sum = 0
    for (const pixels of batches) {
      const { features } = await session.run({ [session.inputNames[0]]: pixels })
      sum += /** @type {Float32Array} */ (features.data)[0]
    }
    return sum
  }
}

/** From the files to a file of features. */
async function ofFiles() {
  await lowerThreads()
  const opened = await openSession(model, { engine, precision: dtype, threads })
  const pool = embedWorkers(opened.description, { workers })
  const computer = computerOf(weights, opened)
  const part = { samples, classes: [], root: '/', name: 'all' }
  const identity = identityOf(model, opened.description, part, { precision: dtype })
  const how = { pool, batchSize, bad: { onBad: /** @type {const} */ ('fail'), maxBad: 0 } }
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trex-bench-'))
    await embedToFile({ base: join(folder, 'all'), format: 'npz' }, identity, part, computer, how)
    rmSync(folder, { recursive: true })
    return 0
  }
}

await serve({ device: 'cpu' }, await (program === 'ort' ? ofTensors() : ofFiles()))
process.exit(0) // the workers stay otherwise
