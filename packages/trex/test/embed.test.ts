import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { fromTypedArray, Generator, noGrad, saveTensors, setNumThreads, tidy } from 'trex-torch'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resolveSettings } from '../src/config.js'
import { decodeImage } from '../src/data/decode/decode.js'
import { modelFingerprint, openModel } from '../src/embed/openModel.js'
import { createEncoder, loadEncoder, nearest, similarity, TrexError } from '../src/index.js'
import { encoderOnnx } from '../src/onnx/index.js'
import { rngFor } from '../src/rng.js'
import { openEncoder } from '../src/train/openEncoder.js'
import { describe as describeModel, weightsOf, worn } from './support/onnx.js'

const folder = mkdtempSync(join(tmpdir(), 'trex-embed-'))
const at = (...names: string[]) => join(folder, ...names)
const photos = Array.from({ length: 7 }, (_, i) => at(`${i}.jpg`))
const SIZE = 64
const weights = at('weights.safetensors')
const graph = at('resnet18.onnx')

beforeAll(async () => {
  setNumThreads(1)
  const rng = rngFor(3)
  for (const [i, path] of photos.entries()) {
    const [width, height] = [70 + 9 * i, 64 + 5 * ((i * 3) % 7)]
    const pixels = Uint8Array.from(
      { length: width * height * 3 },
      (_, p) => (p / (11 + i) + rng.int(70)) % 256,
    )
    await sharp(pixels, { raw: { width, height, channels: 3 } })
      .jpeg()
      .toFile(path)
  }
  tidy(() => {
    const encoder = worn(createEncoder('resnet18', { generator: new Generator(4) }))
    saveTensors(weights, encoder.stateDict())
    const raw = weightsOf(encoder)
    writeFileSync(graph, encoderOnnx(raw, describeModel(raw, SIZE)))
  })
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Features by the unfolded encoder of the engine, of the same pixels. */
async function engineFeatures(size = SIZE): Promise<Float32Array> {
  await using loaded = await loadEncoder(weights, { imageSize: size, engine: 'onnxruntime', threads: 1 })
  const { preprocessor } = await import('../src/embed/preprocess.js')
  const { write } = preprocessor(loaded.description.preprocess)
  const pixels = new Float32Array(photos.length * 3 * size * size)
  for (const [row, path] of photos.entries()) write(await decodeImage(path), pixels, row)
  const settings = resolveSettings({
    flags: { encoder: 'resnet18', stem: 'imagenet', device: 'cpu', precision: 'fp32' },
  })
  using opened = openEncoder(settings, weights)
  return tidy(() =>
    noGrad(() =>
      opened.encoder.forward(fromTypedArray(pixels, [photos.length, 3, size, size])).toFloat32Array(),
    ),
  )
}

/** Largest difference relative to the largest value. */
function difference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length)
  const most = (values: Float32Array) => values.reduce((max, value) => Math.max(max, Math.abs(value)), 0)
  return most(a.map((value, i) => value - b[i]!)) / most(b)
}

describe('features', () => {
  test('of weights and of their graph, by ONNX Runtime and by libtorch, are the encoder’s', async () => {
    const expected = await engineFeatures()
    for (const [model, engine] of [
      [weights, 'onnxruntime'],
      [graph, 'onnxruntime'],
      [weights, 'libtorch'],
    ] as const) {
      await using encoder = await loadEncoder(model, { imageSize: SIZE, engine, threads: 1 })
      const { features, shape } = await encoder.embed(photos)
      expect(shape).toEqual([photos.length, 512])
      expect(difference(features, expected), `${model} by ${engine}`).toBeLessThan(1e-4)
      expect(encoder.engine).toContain(engine === 'libtorch' ? 'libtorch' : 'onnxruntime-node')
    }
  })

  test('come in the order of the images, however these are given and batched', async () => {
    await using encoder = await loadEncoder(graph, { threads: 1 })
    const { features: all } = await encoder.embed(photos, { batchSize: 7 })
    const decoded = await decodeImage(photos[2]!)
    const rgba = await sharp(photos[3]!).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
    const mixed = [
      photos[0]!,
      pathToFileURL(photos[1]!),
      decoded,
      { data: new Uint8ClampedArray(rgba.data), width: rgba.info.width, height: rgba.info.height },
      readFileSync(photos[4]!),
      new Uint8Array(readFileSync(photos[5]!)),
      pathToFileURL(photos[6]!).href,
    ]
    const { features: given } = await encoder.embed(mixed, { batchSize: 3 })
    expect(difference(given, all)).toBeLessThan(1e-6)
    const { features: one, shape } = await encoder.embed(photos[6]!)
    expect(shape).toEqual([1, 512])
    expect(difference(one, all.subarray(6 * 512))).toBeLessThan(1e-6)
    expect(await encoder.embed([])).toEqual({ features: new Float32Array(0), shape: [0, 512] })
    const rows = { features: all, shape: [7, 512] as const }
    expect([...nearest(one, rows, 1).indices]).toEqual([6])
    expect(similarity(one, rows)[6]).toBeCloseTo(1, 6)
  })

  test('of a graph of others need to be told how images are prepared', async () => {
    const bare = at('bare.onnx')
    tidy(() => {
      const raw = weightsOf(worn(createEncoder('resnet18', { generator: new Generator(4) })))
      const bytes = Buffer.from(encoderOnnx(raw, describeModel(raw, SIZE)))
      bytes.write('x', bytes.indexOf('trex.model')) // the description's key is another
      writeFileSync(bare, bytes)
    })
    await expect(loadEncoder(bare)).rejects.toThrow('does not say how images are prepared')
    await expect(loadEncoder(bare, { imageSize: 32 })).rejects.toThrow(
      'filter, mean, std of preprocess is missing',
    )
    const { preprocess } = (await loadEncoder(graph, { threads: 1 })).description
    await using encoder = await loadEncoder(bare, { preprocess, threads: 1 })
    await using ours = await loadEncoder(graph, { threads: 1 })
    expect(encoder.description).toMatchObject({ encoder: null, featureDim: 512 })
    expect(await encoder.embed(photos)).toEqual(await ours.embed(photos))
    await expect(loadEncoder(bare, { preprocess, output: 'tokens' })).rejects.toThrow('no output tokens')
    await expect(loadEncoder(graph, { engine: 'libtorch' })).rejects.toThrow('is a graph, which libtorch')
    await expect(loadEncoder(graph, { precision: 'fp16' })).rejects.toThrow('whose precision is its own')
    await expect(loadEncoder(weights, { engine: 'onnxruntime', precision: 'bf16' })).rejects.toThrow('bf16')
  })

  test('of a folder in the layout of transformers.js are prepared as it says', async () => {
    const dir = at('hub')
    mkdirSync(join(dir, 'onnx'), { recursive: true })
    cpSync(at('bare.onnx'), join(dir, 'onnx', 'model.onnx'))
    const config = {
      size: { shortest_edge: 72 },
      crop_size: { height: SIZE, width: SIZE },
      ...{ do_center_crop: true, resample: 3, image_mean: [0.5, 0.5, 0.5], image_std: [0.25, 0.25, 0.25] },
    }
    const write = (more: object) =>
      writeFileSync(join(dir, 'preprocessor_config.json'), JSON.stringify({ ...config, ...more }))
    write({})
    await using encoder = await loadEncoder(dir, { threads: 1 })
    expect(encoder.description.preprocess).toEqual({
      ...{ resize: 72, crop: SIZE, filter: 'bicubic' },
      ...{ mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
    })
    await using ours = await loadEncoder(graph, { preprocess: encoder.description.preprocess, threads: 1 })
    expect(await encoder.embed(photos)).toEqual(await ours.embed(photos))
    write({ size: { height: SIZE, width: SIZE } })
    await expect(loadEncoder(dir)).rejects.toThrow('images are squeezed to a square')
    const { preprocess } = encoder.description
    await using told = await loadEncoder(dir, { preprocess, threads: 1 })
    expect(await told.embed(photos)).toEqual(await ours.embed(photos))
    write({ resample: 1 })
    await expect(loadEncoder(dir)).rejects.toThrow('resample 1 is neither 2 nor 3')
    await expect(loadEncoder(folder)).rejects.toThrow('there is no model in')
  })

  test('are known by the fingerprint that `trex extract` gives the weights', () => {
    const flags = { encoder: 'resnet18', stem: 'imagenet', device: 'cpu', precision: 'fp32' } as const
    using opened = openEncoder(resolveSettings({ flags }), weights)
    expect(modelFingerprint(openModel(weights))).toBe(opened.fingerprint)
    expect(modelFingerprint(openModel(graph))).not.toBe(opened.fingerprint)
  })
})

describe('a bad image is an error that names it', () => {
  test.each([
    [null, /^image 1 cannot be embedded: it is null, not an image$/],
    [join(folder, 'gone.jpg'), /^image 1 \(.*gone\.jpg\) cannot be embedded: .*there is no such file$/],
    ['https://example.com/a.jpg', /it is not on this machine/],
    [Buffer.from('no image'), /^image 1 cannot be embedded: .*it looks like text$/],
    [{ data: new Uint8Array(3), width: 2, height: 2 }, /2 x 2 pixels needs 12 bytes RGB/],
  ])('%#', async (bad, message) => {
    await using encoder = await loadEncoder(graph, { threads: 1 })
    const embedding = encoder.embed([photos[0]!, bad as string, photos[1]!])
    await expect(embedding).rejects.toThrow(TrexError)
    await expect(embedding).rejects.toThrow(message)
    expect((await encoder.embed(photos[0]!)).shape).toEqual([1, 512])
  })

  test('so are wrong options, and an encoder that is disposed', async () => {
    const encoder = await loadEncoder(graph, { threads: 1 })
    await expect(encoder.embed(photos, { batchSize: 0 })).rejects.toThrow('batchSize is 0')
    await expect(encoder.embed(photos, { output: 'logits' })).rejects.toThrow('no output logits')
    await expect(encoder.run(new Float32Array(5), 1)).rejects.toThrow(
      '1 images of 64 px need 12288 values, not 5',
    )
    await expect(encoder.embed(photos, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
      'enough',
    )
    await encoder.dispose()
    await encoder.dispose()
    await expect(encoder.embed(photos)).rejects.toThrow('is disposed')
    await expect(loadEncoder(at('gone.pth'))).rejects.toThrow('there is no model')
    await expect(loadEncoder(new URL('https://example.com/m.onnx'))).rejects.toThrow('is not on this machine')
    await expect(loadEncoder(readFileSync(photos[0]!))).rejects.toThrow('the model given as bytes')
  })
})

describe('in a process', () => {
  const dist = fileURLToPath(new URL('../dist/index.js', import.meta.url))
  const node = async (code: string, env: NodeJS.ProcessEnv) => {
    const args = ['--input-type=module', '-e', code]
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, ...env } })
    return stdout.trim()
  }

  test('without libtorch, weights are embedded', async () => {
    const code = `
      const { loadEncoder } = await import(${JSON.stringify(pathToFileURL(dist).href)})
      const encoder = await loadEncoder(${JSON.stringify(weights)}, { imageSize: ${SIZE}, threads: 1 })
      const { features } = await encoder.embed(${JSON.stringify(photos)})
      const error = await loadEncoder(${JSON.stringify(weights)}, { engine: 'libtorch' }).catch((e) => e)
      console.log(JSON.stringify({ features: [...features], error: error.message }))`
    const { features, error } = JSON.parse(await node(code, { TREX_ENGINE: '/nonexistent' }))
    expect(difference(Float32Array.from(features as number[]), await engineFeatures())).toBeLessThan(1e-4)
    expect(error).toContain('libtorch cannot be used')
  })

  test('without onnxruntime-node, trex is imported, graphs ask for it, and weights are by libtorch', async () => {
    // A copy of the package whose dependencies are all there but that one.
    const root = at('app')
    const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url))
    mkdirSync(join(root, 'node_modules'), { recursive: true })
    cpSync(fileURLToPath(new URL('../dist', import.meta.url)), join(root, 'dist'), { recursive: true })
    writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
    const { readdirSync } = await import('node:fs')
    for (const name of readdirSync(modules))
      if (!name.startsWith('onnxruntime')) symlinkSync(join(modules, name), join(root, 'node_modules', name))
    const code = `
      const { loadEncoder } = await import(${JSON.stringify(pathToFileURL(join(root, 'dist/index.js')).href)})
      const error = await loadEncoder(${JSON.stringify(graph)}).catch((e) => e)
      const encoder = await loadEncoder(${JSON.stringify(weights)}, { imageSize: ${SIZE}, threads: 1 })
      console.log(JSON.stringify([error.message, error.hint, encoder.engine]))`
    const [message, hint, engine] = JSON.parse(await node(code, { OMP_NUM_THREADS: '1' }))
    expect(message).toBe('onnxruntime-node, which runs ONNX models, is not installed')
    expect(hint).toBe('install it: npm install onnxruntime-node')
    expect(engine).toContain('libtorch')
  })
})
