/** Features of a ResNet in trex: of a batch of decoded images, or of JPEG files to a feature file. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randn, tidy } from '../../packages/torch/dist/index.js'
import { extractToFile } from '../../packages/trex/dist/features/index.js'
import { resolveSettings } from '../../packages/trex/dist/index.js'
import { imageTensor } from '../../packages/trex/dist/method/imageTensor.js'
import { featureNet } from '../../packages/trex/dist/method/index.js'
import { openEncoder } from '../../packages/trex/dist/train/openEncoder.js'
import { openDataWorkers } from '../../packages/trex/dist/train/reading.js'
import { options, serve } from './serve.mjs'

const { arch, batch, batchSize, size, dtype, device, workers, images, seed } = options()
const settings = resolveSettings({
  flags: { encoder: arch, device, precision: dtype, workers: workers ?? 0, seed },
})
const opened = openEncoder(settings, null)

/** @returns {() => number | Promise<number>} */
function ofTensors() {
  const net = featureNet(opened.encoder, opened.precision)
  const { normalization } = settings
  const values = tidy(() => randn([batch, 3, size, size]).toFloat32Array())
  const decoded = { images: values, size: batch, normalization }
  const target = { precision: opened.precision, channelsLast: true }
  return () => {
    const features = tidy(() => net.forward(imageTensor(decoded, target)).toFloat32Array())
    return features.reduce((sum, value) => sum + value, 0) / features.length
  }
}

/** @returns {() => number | Promise<number>} */
function ofFiles() {
  const pool = openDataWorkers(settings, { device })
  const jpegs = readdirSync(images)
    .filter((name) => /\.jpe?g$/i.test(name))
    .sort()
  const samples = Array.from({ length: batch }, (_, i) => ({
    path: join(images, jpegs[i % jpegs.length]),
    label: 0,
  }))
  const part = { samples, classes: ['any'], root: '/', name: 'all' }
  const { normalization, data } = settings
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trex-bench-'))
    const { autoOrient } = data
    const how = { size, batchSize, normalization, autoOrient, pool, bad: data }
    for await (const _ of extractToFile(join(folder, 'all.safetensors'), opened, part, how));
    rmSync(folder, { recursive: true })
    return 0
  }
}

await serve({ device }, images ? ofFiles() : ofTensors())
process.exit(0) // the workers stay otherwise
