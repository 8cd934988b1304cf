import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { Generator, setNumThreads } from 'trex-torch'
import { safetensorsChunks } from 'trex-torch/safetensors-format'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DESCRIPTION_KEY, type ModelDescription } from '../src/checkpoints/modelDescription.js'
import { decodeImage } from '../src/data/decode/decode.js'
import { pthChunks } from '../src/deploy/writePth.js'
import { loadEncoder, similarity } from '../src/embed/index.js'
import { createEncoder } from '../src/method/encoder.js'
import { draftGraph } from '../src/onnx/graph.js'
import { encoderOnnx } from '../src/onnx/index.js'
import { writeModel } from '../src/onnx/writeModel.js'
import { type BuiltApp, buildApp, chromiumPath, serve, startChromium } from './support/browser.js'
import { maxAbs } from './support/compare.js'
import { describe as describeModel, weightsOf, worn } from './support/onnx.js'
import { picture } from './support/pictures.js'

const require = createRequire(import.meta.url)
const files = new Map<string, Uint8Array>()
const resources: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of resources.reverse()) await close()
})

const ANIMALS = ['cat-face', 'dog-face', 'lion', 'owl', 'fish', 'frog']
const SIZES = [
  [300, 200],
  [97, 131],
  [64, 64],
  [500, 333],
  [40, 30],
  [224, 224],
] as const

/** A model whose features are its input: the pixels as they are prepared. */
function pixelModel(preprocess: ModelDescription['preprocess']): Uint8Array {
  const graph = draftGraph('float32')
  const features = graph.node('features', 'Flatten', ['pixel_values'], { axis: 1 })
  const side = preprocess.crop
  const description = { version: 1, encoder: null, featureDim: 3 * side * side, preprocess }
  return writeModel(
    graph.finish(
      [{ name: 'pixel_values', type: 'float32', dims: ['batch', 3, side, side] }],
      [{ name: features, type: 'float32', dims: ['batch', 3 * side * side] }],
    ),
    { [DESCRIPTION_KEY]: JSON.stringify(description) },
  )
}

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const
const PREPROCESSINGS: ModelDescription['preprocess'][] = [
  { resize: 64, crop: 56, filter: 'bicubic', mean: [...IMAGENET.mean], std: [...IMAGENET.std] },
  { resize: 48, crop: 48, filter: 'bilinear', mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  { resize: 32, crop: 60, filter: 'bicubic', mean: [0.1, 0.2, 0.3], std: [0.3, 0.2, 0.1] },
]

const error = (a: ArrayLike<number>, b: Float32Array) =>
  maxAbs(b.map((value, i) => value - a[i]!)) / maxAbs(b)

let app: BuiltApp
let encoderFile: Uint8Array
const decoded: { data: Uint8Array; width: number; height: number }[] = []

describe.skipIf(!chromiumPath)(
  `trex/web${chromiumPath ? '' : ' (skipped: there is no Chromium here)'}`,
  () => {
    let browser: Browser
    let page: Page

    beforeAll(async () => {
      setNumThreads(1)
      app = await buildApp(fileURLToPath(new URL('viteApp', import.meta.url)))
      resources.push(app.remove)
      const weights = weightsOf(worn(createEncoder('resnet18', { generator: new Generator(3) })))
      encoderFile = encoderOnnx(weights, describeModel(weights, 96))
      const tensors = [...weights.tensors].map(([name, tensor]) => ({ name, ...tensor }))
      files.set('/models/resnet18.safetensors', Buffer.concat([...safetensorsChunks(tensors)]))
      files.set('/models/resnet18.pth', Buffer.concat([...pthChunks(tensors)]))
      files.set('/models/resnet18.onnx', encoderFile)
      for (const [i, preprocess] of PREPROCESSINGS.entries())
        files.set(`/models/pixels-${i}.onnx`, pixelModel(preprocess))
      for (const [i, name] of ANIMALS.entries()) {
        const [width, height] = SIZES[i]!
        const file = await picture(name, width, height)
        files.set(`/images/${i}.jpg`, file)
        decoded.push(await decodeImage(file, { autoOrient: false }))
        files.set(`/pixels/${i}`, rgba(decoded[i]!))
      }
      files.set('/images/opaque.png', await picture('owl', 120, 90, 'png'))
      files.set('/images/broken.jpg', files.get('/images/0.jpg')!.subarray(0, 100))
      files.set('/models/broken.onnx', encoderFile.subarray(0, 5000))
      files.set('/models/page.html', new TextEncoder().encode('<!doctype html>'))
      for (const file of ['ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'])
        files.set(`/ort/${file}`, readFileSync(require.resolve(`onnxruntime-web/${file}`)))
      const server = await serve(app.folder, files)
      resources.push(server.close)
      browser = await startChromium()
      resources.push(() => browser.close())
      page = await open(browser, server.url)
    })

    test('its bundle is made without warnings, and has nothing of Node in it', () => {
      expect(app.warnings).toEqual([])
      const own = app.files.filter((file) => file.type === 'chunk' && !/\/ort\./.test(file.fileName))
      expect(own.map(({ fileName }) => fileName)).toEqual([expect.stringMatching(/^assets\/index-.*\.js$/)])
      const [chunk] = own as [Extract<(typeof own)[number], { type: 'chunk' }>]
      const ofNode = /["'`]node:|\brequire\(|createRequire|\bprocess\.|\bBuffer\b|__vite-browser-external/g
      expect(chunk.code.match(ofNode)).toBeNull()
      const modules = Object.keys(chunk.modules)
      expect(
        modules.filter((id) => /sharp|dist\/native\.js|fileSource|\.node$|browser-external/.test(id)),
      ).toEqual([])
      expect(modules.some((id) => id.endsWith('wasmBytes.js'))).toBe(true)
      // Of which a half is zod, which checks descriptions; the runtime comes on demand.
      expect(chunk.code.length).toBeLessThan(250_000)
    })

    test.each([0, 1, 2])('prepares pixels as Node does, to the bit (%#)', async (model) => {
      const inPage = await page.evaluate(
        async ({ model, sizes }) => {
          const encoder = await trex.loadEncoder(`/models/pixels-${model}.onnx`, { device: 'wasm' })
          const hashes: string[] = []
          for (const [i, [width, height]] of sizes.entries()) {
            const data = new Uint8ClampedArray(await (await fetch(`/pixels/${i}`)).arrayBuffer())
            const { features } = await encoder.embed(new ImageData(data, width, height))
            const hash = new Uint8Array(
              await crypto.subtle.digest('SHA-256', features as Float32Array<ArrayBuffer>),
            )
            hashes.push([...hash].map((byte) => byte.toString(16).padStart(2, '0')).join(''))
          }
          await encoder.dispose()
          return hashes
        },
        { model, sizes: SIZES },
      )
      await using encoder = await loadEncoder(files.get(`/models/pixels-${model}.onnx`)!, { threads: 1 })
      const hashes = []
      for (const image of decoded) {
        const { features } = await encoder.embed(image)
        hashes.push(createHash('sha256').update(new Uint8Array(features.buffer)).digest('hex'))
      }
      expect(inPage).toEqual(hashes)
    })

    test('features are those of Node: of the same pixels, and of files that Chromium decodes', async () => {
      await using encoder = await loadEncoder(encoderFile, { threads: 1 })
      const { features, shape } = await encoder.embed(decoded)
      const seen = await page.evaluate(async (sizes) => {
        const progress: [number, number | null][] = []
        const onProgress = (loaded: number, total: number | null) => void progress.push([loaded, total])
        const encoder = await trex.loadEncoder('/models/resnet18.onnx', { onProgress })
        const images = sizes.map(async ([width, height], i) => {
          const data = new Uint8ClampedArray(await (await fetch(`/pixels/${i}`)).arrayBuffer())
          return new ImageData(data, width, height)
        })
        const pixels = await encoder.embed(await Promise.all(images))
        const fetched = await encoder.embed(sizes.map((_, i) => `/images/${i}.jpg`))
        const { device, engine, description } = encoder
        const near = trex.nearest(fetched, pixels, 2)
        const cosines = trex.similarity(fetched, pixels)
        await encoder.dispose()
        return {
          ...{ device, engine, description, progress: progress.at(-1), shape: pixels.shape },
          ...{ pixels: [...pixels.features], fetched: [...fetched.features] },
          ...{ near: [...near.indices], cosines: [...cosines] },
        }
      }, SIZES)
      expect(seen).toMatchObject({ device: 'wasm', shape: [6, 512], description: encoder.description })
      expect(seen.engine).toMatch(/^onnxruntime-web 1\.\d+\.\d+, WebAssembly; not WebGPU: /)
      expect(seen.progress).toEqual([encoderFile.length, encoderFile.length])
      expect(shape).toEqual([6, 512])
      expect(error(seen.pixels, features)).toBeLessThan(1e-3)

      const fetched = { features: Float32Array.from(seen.fetched), shape }
      const cosines = similarity(fetched, { features, shape })
      for (const i of ANIMALS.keys()) expect(cosines[i * 7]).toBeGreaterThan(0.999)
      // What is computed from features is the same code in both.
      expect(error(seen.cosines, cosines)).toBeLessThan(1e-3)
      expect(seen.near.filter((_, i) => i % 2 === 0)).toEqual([0, 1, 2, 3, 4, 5])
    })

    test.each(['safetensors', 'pth'])(
      'makes the graph of weights itself: a .%s file dropped on a page',
      async (ending) => {
        const seen = await page.evaluate(async (ending) => {
          const weights = await (await fetch(`/models/resnet18.${ending}`)).blob()
          const file = new File([weights], `resnet18.${ending}`)
          const encoder = await trex.loadEncoder(file, { device: 'wasm', imageSize: 96 })
          const { features } = await encoder.embed('/images/opaque.png')
          await encoder.dispose()
          return { description: encoder.description, features: [...features] }
        }, ending)
        await using encoder = await loadEncoder(encoderFile, { threads: 1 })
        expect(seen.description).toEqual(encoder.description)
        const { features } = await encoder.embed(files.get('/images/opaque.png')!)
        expect(error(seen.features, features)).toBeLessThan(1e-3)
      },
    )

    test('takes every kind of image that a page has', async () => {
      const errors = await page.evaluate(async () => {
        const encoder = await trex.loadEncoder(await (await fetch('/models/pixels-0.onnx')).blob(), {
          device: 'wasm',
        })
        const blob = await (await fetch('/images/opaque.png')).blob()
        const image = new Image()
        image.src = '/images/opaque.png'
        await image.decode()
        const bitmap = await createImageBitmap(blob)
        const { width, height } = bitmap
        const canvas = Object.assign(document.createElement('canvas'), { width, height })
        canvas.getContext('2d')!.drawImage(bitmap, 0, 0)
        const offscreen = new OffscreenCanvas(width, height)
        offscreen.getContext('2d')!.drawImage(bitmap, 0, 0)
        const data = offscreen.getContext('2d')!.getImageData(0, 0, width, height)
        const frame = new VideoFrame(bitmap, { timestamp: 0 })
        const kinds = {
          ...{ blob, image, bitmap, canvas, offscreen, data, frame, file: new File([blob], 'owl.png') },
          ...{ path: '/images/opaque.png', url: new URL('/images/opaque.png', location.href) },
          rgb: { data: new Uint8Array(data.data.filter((_, i) => i % 4 < 3)), width, height },
        }
        const wanted = (await encoder.embed(data)).features
        const errors: Record<string, number> = {}
        for (const [kind, image] of Object.entries(kinds)) {
          const { features } = await encoder.embed(image)
          errors[kind] = Math.max(...features.map((value, i) => Math.abs(value - wanted[i]!)))
        }
        await encoder.dispose()
        return errors
      })
      const { frame, ...others } = errors
      for (const [kind, wrong] of Object.entries(others)) expect(wrong, kind).toBe(0)
      expect(frame).toBeLessThan(0.05) // a frame may be kept in the colours of video
    })

    test('turns a picture as its EXIF says, which Node does when it is told to', async () => {
      const turned = new URL('golden/decode/exif-6.jpg', import.meta.url)
      files.set('/images/turned.jpg', readFileSync(turned))
      const seen = await page.evaluate(async () => {
        const encoder = await trex.loadEncoder('/models/pixels-1.onnx', { device: 'wasm' })
        const { features } = await encoder.embed('/images/turned.jpg')
        await encoder.dispose()
        return [...features]
      })
      const pixels = async (autoOrient: boolean) => {
        await using encoder = await loadEncoder(files.get('/models/pixels-1.onnx')!, {
          threads: 1,
          autoOrient,
        })
        return (await encoder.embed(turned)).features
      }
      expect(error(seen, await pixels(true))).toBeLessThan(0.02)
      expect(error(seen, await pixels(false))).toBeGreaterThan(0.2)
    })

    test('what is wrong is an error that says it', async () => {
      const messages = await page.evaluate(async () => {
        const said = (work: Promise<unknown>) =>
          work.then(
            () => 'nothing',
            (error) => `${error instanceof trex.TrexError ? '' : 'no TrexError: '}${error.message}`,
          )
        const load = (file: never, options = {}) =>
          said(trex.loadEncoder(file, { device: 'wasm', ...options }))
        const encoder = await trex.loadEncoder('/models/pixels-0.onnx', { device: 'wasm' })
        const messages = {
          missing: await load('/models/none.onnx' as never),
          page: await load('/models/page.html' as never),
          broken: await load('/models/broken.onnx' as never),
          number: await load(7 as never),
          device: await load('/models/pixels-0.onnx' as never, { device: 'tpu' }),
          webgpu: await load('/models/pixels-0.onnx' as never, { device: 'webgpu' }),
          image: await said(encoder.embed(['/images/opaque.png', '/images/broken.jpg'])),
          text: await said(encoder.embed(new File(['no image'], 'notes.txt'))),
          absent: await said(encoder.embed('/images/none.png')),
          nothing: await said(encoder.embed(null as never)),
        }
        await encoder.dispose()
        return { ...messages, disposed: await said(encoder.embed('/images/opaque.png')) }
      })
      expect(messages).toEqual({
        missing: '/models/none.onnx cannot be fetched: the server answers 404',
        page: '/models/page.html is a web page',
        broken: expect.stringMatching(/^\/models\/broken\.onnx.* is no ONNX file, or is damaged/),
        number: expect.stringMatching(/^this is no file/),
        device: 'there is no device tpu',
        webgpu: 'there is no WebGPU here',
        image: expect.stringMatching(
          /^image 1 \(\/images\/broken\.jpg\) cannot be embedded: the browser does not decode it/,
        ),
        text: expect.stringMatching(
          /^image 0 \(notes\.txt\) cannot be embedded: the browser does not decode it/,
        ),
        absent: expect.stringMatching(/^image 0 \(\/images\/none\.png\) cannot be embedded: .* 404$/),
        nothing: expect.stringMatching(/^image 0 cannot be embedded/),
        disposed: 'the encoder is disposed',
      })
    })

    test('computes in several threads in a page that is cross-origin isolated', async () => {
      const isolated = {
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
      }
      await using server = await serve(app.folder, files, isolated)
      const page = await open(browser, server.url)
      const seen = await page.evaluate(async () => {
        const options = { device: 'wasm', threads: 2 } as const
        const refused = await trex
          .loadEncoder('/models/resnet18.onnx', options)
          .catch(({ message }) => message)
        const encoder = await trex.loadEncoder('/models/resnet18.onnx', { ...options, wasmPaths: '/ort/' })
        const { features } = await encoder.embed('/images/opaque.png')
        const asked = performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)
        return { isolated: crossOriginIsolated, refused, features: [...features], asked }
      })
      expect(seen).toMatchObject({ isolated: true, refused: 'several threads need wasmPaths' })
      expect(seen.asked).toContain('/ort/ort-wasm-simd-threaded.wasm')
      expect(page.workers().length).toBeGreaterThan(0)
      await using encoder = await loadEncoder(encoderFile, { threads: 1 })
      const { features } = await encoder.embed(files.get('/images/opaque.png')!)
      expect(error(seen.features, features)).toBeLessThan(1e-3)
      await page.close()
    })

    test('computes on WebGPU, here a software one, what WebAssembly does', async ({ skip }) => {
      const browser = await startChromium(['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'])
      try {
        await using server = await serve(app.folder, files)
        const page = await open(browser, server.url)
        const there = await page.evaluate(async () => Boolean(await navigator.gpu?.requestAdapter()))
        if (!there) skip('this Chromium has no WebGPU adapter')
        const seen = await page.evaluate(async () => {
          const encoder = await trex.loadEncoder('/models/resnet18.onnx', { device: 'webgpu' })
          const { features } = await encoder.embed('/images/opaque.png')
          const auto = await trex.loadEncoder('/models/pixels-0.onnx')
          return { device: encoder.device, features: [...features], auto: auto.engine }
        })
        expect(seen.device).toBe('webgpu')
        expect(seen.auto).toMatch(/WebAssembly; not WebGPU: there is no GPU behind it/)
        await using encoder = await loadEncoder(encoderFile, { threads: 1 })
        const { features } = await encoder.embed(files.get('/images/opaque.png')!)
        expect(error(seen.features, features)).toBeLessThan(1e-3)
      } finally {
        await browser.close()
      }
    })
  },
)

/** What the page of test/viteApp shows to the tests. */
declare const trex: typeof import('../src/web.js')

async function open(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage()
  await page.goto(url)
  await page.waitForFunction(() => 'trex' in globalThis)
  return page
}

function rgba({ data, width, height }: { data: Uint8Array; width: number; height: number }): Uint8Array {
  const four = new Uint8Array(4 * width * height).fill(255)
  for (let i = 0; i < width * height; i++) four.set(data.subarray(3 * i, 3 * i + 3), 4 * i)
  return four
}
