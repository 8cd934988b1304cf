import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { liveTensors, noGrad, setNumThreads } from 'trex-torch'
import { openSafetensors } from 'trex-torch/safetensors'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeImages } from '../../test/support/trex.js'
import { resolveSettings } from '../config.js'
import { DecodeError } from '../data/decode/decodeError.js'
import { collectBadImages } from '../data/loader/badImages.js'
import { type Loader, openLoader } from '../data/loader/loader.js'
import { readImageDataset } from '../data/sources/imageFolder.js'
import type { ImageDataset } from '../data/sources/sample.js'
import { cropGroups } from '../settings.js'
import { readBadImages } from './badImages.js'
import { failedBatchPath, keepFailure, readFailure } from './failure.js'
import { START } from './position.js'
import { createRun, describeData, type Run } from './run.js'
import { openSaves } from './saves.js'
import { validationSpectrum } from './spectrum.js'
import { train } from './train.js'
import { openTraining } from './training.js'

// What training does where something goes wrong, with real images, files and weights.

const dir = mkdtempSync(join(tmpdir(), 'trex-training-'))
afterAll(() => rmSync(dir, { recursive: true }))

const settings = resolveSettings({
  recipe: 'supervised',
  flags: { encoder: 'resnet18', imageSize: 16, batchSize: 4, workers: 0, precision: 'fp32', device: 'cpu' },
})
let data: ImageDataset
beforeAll(async () => {
  setNumThreads(1)
  data = await readImageDataset(await makeImages(join(dir, 'images')))
})

let runs = 0
const newRun = (): Run => createRun(join(dir, `run${runs++}`), settings, describeData('train', dir, data))

test('a step that went wrong is kept even if the run was asked to stop meanwhile', async () => {
  const run = newRun()
  await using training = openTraining(run, data, { signal: AbortSignal.abort(new Error('stop')) })
  const figures = { epoch: 1, step: training.loader.batches + 1, lr: 0.1, images: 4, loss: Number.NaN }
  const step = { ...figures, crops: 4, hits: 0, seconds: 1, waited: 0 }
  const { message, hint } = await keepFailure(run, data, training.reading, 'loss', step)
  expect(message).toBe(`the loss is NaN at step ${step.step} (epoch 1)`)
  expect(hint).toContain(`in ${run.dir}/config.yaml, then \`trex train --resume ${run.dir}\``)
  await using undisturbed = openTraining(run, data)
  for await (const batch of undisturbed.loader.epoch(1, 1)) {
    const images = Array.from(batch.indices, (i) => data.train[i]!).map(({ path, label }) => ({
      path,
      label,
    }))
    expect(readFailure(run)).toMatchObject({ batch: 1, loss: 'NaN', images })
    using kept = openSafetensors(failedBatchPath(run))
    expect(kept.read('crops.0').data).toEqual(new Uint8Array(batch.crops[0]!.slice().buffer))
    break
  }
})

test('and if its images cannot be read any more, what else is known of it', async () => {
  const run = newRun()
  await using training = openTraining(run, data)
  const lost = { ...data, train: data.train.map((sample) => ({ ...sample, path: `${sample.path}.lost` })) }
  const step = { epoch: 0, step: 0, lr: 0.1, images: 4, loss: 2, crops: 4, hits: 0, seconds: 1, waited: 0 }
  const { message, hint } = await keepFailure(run, lost, training.reading, 'state', step)
  expect(message).toMatch(/optimizer state are not finite after step 0 \(epoch 0\)$/)
  expect(hint).toMatch(/^its batch cannot be kept \(.*lost/)
  expect(readFailure(run)).toMatchObject({ what: 'state', step: 0, images: [] })
  expect(existsSync(failedBatchPath(run))).toBe(false)
})

test('an error within a step is not followed by a save, though the run was asked to stop', async () => {
  const run = newRun()
  const stop = new AbortController()
  const { batchSize, seed } = settings
  await using batches = openLoader({ samples: data.train, groups: cropGroups(settings), batchSize, seed })
  const loader: Loader = {
    ...batches,
    async *epoch(epoch, from) {
      for await (const batch of batches.epoch(epoch, from)) {
        if (batch.index === 1) {
          batch.labels.fill(99n) // no such class
          stop.abort(new Error('stop'))
        }
        yield batch
      }
    },
  }
  const follow = async () => {
    for await (const event of train(run, data, { loader, signal: stop.signal }))
      expect(event).toMatchObject({ step: 0 })
  }
  await expect(follow()).rejects.toThrow(/99/)
  expect(readdirSync(join(run.dir, 'checkpoints'))).toEqual([])
})

test('training that cannot be opened leaves nothing behind', async () => {
  const run = newRun()
  writeFileSync(join(run.dir, 'bad-images.json'), '[')
  const before = liveTensors()
  expect(() => openTraining(run, data)).toThrow(/bad-images\.json is damaged/)
  expect(() => openTraining(newRun(), { ...data, train: data.train.slice(0, 3) })).toThrow(
    /do not fill one batch/,
  )
  await new Promise(setImmediate)
  expect(liveTensors()).toBe(before)
})

test('the list of bad images is written before a checkpoint, which is not written without it', async () => {
  const run = newRun()
  await using training = openTraining(run, data)
  const bad = collectBadImages({ onBad: 'skip', maxBad: 9 })
  const saves = openSaves(run, training.learner, bad, START)
  bad.add(new DecodeError('a.png', 'a.png: is cut short'))
  saves.save({ ...START, batch: 1 })
  expect(readBadImages(run.dir)).toEqual([{ path: 'a.png', reason: 'a.png: is cut short' }])
  expect(readdirSync(join(run.dir, 'checkpoints'))).toEqual(['last.safetensors'])

  const list = join(run.dir, 'bad-images.json')
  rmSync(list)
  mkdirSync(list)
  const last = readFileSync(join(run.dir, 'checkpoints/last.safetensors'))
  expect(() => saves.save({ ...START, batch: 2 })).toThrow(`${list} cannot be written: EISDIR`)
  expect(readFileSync(join(run.dir, 'checkpoints/last.safetensors')).equals(last)).toBe(true)
})

test('features without a spectrum, or images, do not end a run', async () => {
  await using training = openTraining(newRun(), data)
  const { learner, reading } = training
  const spectrum = (samples = data.val) => validationSpectrum(learner, samples, settings, reading)
  expect(await spectrum()).toMatchObject({ images: data.val.length })
  const lost = data.val.map((sample) => ({ ...sample, path: `${sample.path}.lost` }))
  const bad = collectBadImages({ onBad: 'skip', maxBad: 99 })
  expect(await validationSpectrum(learner, lost, settings, { ...reading, bad })).toEqual({
    missing: 'none of its images can be read',
  })
  noGrad(() => learner.model.parameters()[0]!.fill_(Number.NaN))
  const before = liveTensors()
  expect(await spectrum()).toEqual({ missing: 'the features hold values that are not finite' })
  expect(liveTensors()).toBe(before)
})
