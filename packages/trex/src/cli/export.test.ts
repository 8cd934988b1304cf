import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { fromTypedArray, Generator, noGrad, randn, saveTensors, setNumThreads, tidy } from 'trex-torch'
import { openSafetensors, typedArrayOf } from 'trex-torch/safetensors'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { pythonWith } from '../../test/support/python.js'
import { makeImages, TINY, trex } from '../../test/support/trex.js'
import { readDescription } from '../checkpoints/modelDescription.js'
import { decodeImage } from '../data/decode/decode.js'
import { applyEvalTransform } from '../data/pixels/evalTransform.js'
import { IMAGENET_NORMALIZATION } from '../data/pixels/normalize.js'
import type { Format } from '../deploy/exportModel.js'
import { TrexError } from '../errors.js'
import { createEncoder, type EncoderOptions } from '../method/encoder.js'
import { imageTensor } from '../method/imageTensor.js'
import { rngFor } from '../rng.js'
import { loadEncoder } from '../train/initFrom.js'
import { type ExportFlags, runExport } from './runExport.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-export-'))
const at = (...names: string[]) => join(dir, ...names)
const peers = fileURLToPath(new URL('../../../../bench/peers', import.meta.url))
const SIDE = 32

/** JPEGs of noise at several scales, larger than the models' images. */
async function makePhotos(root: string, count: number, [width, height]: [number, number]): Promise<void> {
  mkdirSync(root, { recursive: true })
  const rng = rngFor(5)
  for (let i = 0; i < count; i++) {
    const waves = Array.from(
      { length: 9 },
      () => [rng.int(1000) / 9000, rng.int(1000) / 9000, rng.int(628) / 100] as const,
    )
    const pixels = Uint8Array.from({ length: width * height * 3 }, (_, p) => {
      const [x, y, c] = [Math.floor(p / 3) % width, Math.floor(p / 3 / width), p % 3]
      return (
        128 +
        38 *
          [0, 1, 2].reduce(
            (sum, k) =>
              sum + Math.sin(waves[3 * c + k]![0] * x + waves[3 * c + k]![1] * y + waves[3 * c + k]![2]),
            0,
          )
      )
    })
    await sharp(pixels, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(join(root, `${i}.png`))
  }
}

beforeAll(async () => {
  setNumThreads(1)
  await makeImages(at('data'), { classes: 3, perClass: 6 })
  await makePhotos(at('photos'), 12, [90, 70])
  const tiny = [...TINY, '--image-size', `${SIDE}`]
  const small = [
    '--set',
    'projector.layers=1',
    '--set',
    'projector.hidden=16',
    '--set',
    'projector.bottleneck=8',
    '--set',
    'onlineClassMeans.size=16',
  ]
  const flags = {
    supervised: tiny,
    trex: [...tiny, '--recipe', 'trex', ...small, '--set', 'stem=small', '--set', 'localCrops.count=1'],
  }
  await Promise.all(
    Object.entries(flags).map(async ([name, args]) => {
      const { status, stderr } = await trex(['train', at('data'), ...args, '--out', at(name)])
      expect(status, stderr).toBe(0)
    }),
  )
  tidy(() => {
    const vit = createEncoder('vit_tiny', {
      vit: { patchSize: 8 },
      imageSize: SIDE,
      generator: new Generator(3),
    })
    saveTensors(at('vit.safetensors'), vit.stateDict())
    const head = ['weight', 'bias'].map((name, i) => {
      const shape = i === 0 ? [4, 192] : [4]
      return [`head.${name}`, randn(shape, { generator: new Generator(i) })] as const
    })
    saveTensors(at('headed.safetensors'), [...vit.stateDict(), ...head])
  })
}, 120_000)
afterAll(() => rmSync(dir, { recursive: true, force: true }))

async function exported(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = await trex(['export', ...args, '--json'], { env })
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  return JSON.parse(stdout) as {
    files: string[]
    verified: { file: string; precision: string; report: Report | null }[]
  }
}
interface Report {
  passed: boolean
  reference: string
  images: number
  outputs: Record<string, { maxRelativeError: number }>
}

/** Runs the command, which must fail and leave the folder as it was. */
async function fails(
  args: readonly string[],
  error: RegExp,
  hint: RegExp,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const before = readdirSync(dir, { recursive: true })
  const { status, stdout, stderr } = await trex(['export', ...args], { env })
  expect({ status, stdout }, stderr).toEqual({ status: 1, stdout: '' })
  expect(stderr).toMatch(error)
  expect(stderr).toMatch(hint)
  expect(stderr).not.toMatch(/^\s+at |may be a bug/m)
  expect(readdirSync(dir, { recursive: true })).toEqual(before)
}

/** Features of random normalised images [4, 3, S, S] by the engine, and the images. */
function engineFeatures(file: string, name: string, options: EncoderOptions) {
  const rng = rngFor(1)
  const pixels = Float32Array.from({ length: 4 * 3 * SIDE * SIDE }, () => rng.int(4000) / 1000 - 2)
  const features = tidy(() => {
    const encoder = createEncoder(name, options)
    loadEncoder(encoder, file)
    encoder.eval()
    return noGrad(() => encoder.forward(fromTypedArray(pixels, [4, 3, SIDE, SIDE])).toFloat32Array())
  })
  return { pixels, features }
}

/** Runs Python with `x` as the images; what it binds to `y` comes back as float32. */
function inPython(python: string, code: string, pixels: Float32Array): Float32Array {
  writeFileSync(at('x.bin'), new Uint8Array(pixels.buffer))
  const script = `import numpy, sys, torch
sys.path.insert(0, ${JSON.stringify(peers)})
torch.set_num_threads(1)
x = torch.from_numpy(numpy.fromfile("x.bin", "<f4").reshape(4, 3, ${SIDE}, ${SIDE}))
how = {} if torch.__version__.startswith("1.") else {"weights_only": True}
${code}
y.detach().numpy().astype("<f4").tofile("y.bin")`
  execFileSync(python, ['-W', 'ignore', '-c', script], { cwd: dir, stdio: ['ignore', 'pipe', 'inherit'] })
  const { buffer, byteOffset, byteLength } = new Uint8Array(readFileSync(at('y.bin')))
  return new Float32Array(buffer, byteOffset, byteLength / 4)
}

/** The largest difference, relative to the largest value. */
function relativeError(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length)
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(actual[i]! - value)), 0) / largest
}

/** The engine's, or the system's. */
const own = pythonWith('torch')
const torch = own.python === null ? pythonWith('torch', '/usr/bin/python3') : own
const timm = pythonWith('timm', process.env.TREX_TIMM_PYTHON)

describe.skipIf(torch.python === null)(`PyTorch${torch.why}`, () => {
  test("load_state_dict takes a run with its classifier, and features and logits are the engine's", async () => {
    await exported([
      at('supervised'),
      '--format',
      'torchvision',
      '--with',
      'classifier',
      '--out',
      at('sup.pth'),
    ])
    const { pixels, features } = engineFeatures(at('supervised'), 'resnet18', {})
    const build = `from resnet import ResNet
class Full(ResNet):
    def __init__(self):
        super().__init__("resnet18"); self.fc = torch.nn.Linear(512, 3)
model = Full().eval()
model.load_state_dict(torch.load("sup.pth", **how), strict=True)`
    expect(relativeError(inPython(torch.python!, `${build}\ny = model(x)`, pixels), features)).toBeLessThan(
      1e-5,
    )
    const logits = inPython(torch.python!, `${build}\ny = model.fc(model(x))`, pixels)
    using checkpoint = openSafetensors(at('supervised', 'checkpoints', 'last.safetensors'))
    const weight = typedArrayOf(checkpoint.read('prototypes.weight')) as Float32Array
    const expected = Float32Array.from({ length: 12 }, (_, i) => {
      const [row, c] = [Math.floor(i / 3), i % 3]
      return features
        .subarray(512 * row, 512 * row + 512)
        .reduce((sum, value, d) => sum + value * weight[512 * c + d]!, 0)
    })
    expect(relativeError(logits, expected)).toBeLessThan(1e-5)
  })

  test("torchvision's file to trex to torchvision's: the same names in the same order, the same bits", async () => {
    const code = (act: string) => `from resnet import ResNet
torch.manual_seed(7)
model = ResNet("resnet50")
for p in model.parameters(): p.data = torch.randn(p.shape)
for n, b in model.named_buffers():
    if b.dtype == torch.float32: b.copy_(torch.rand(b.shape))
state = model.state_dict()
state["fc.weight"], state["fc.bias"] = torch.randn(10, 2048), torch.randn(10)
${act}`
    const none = new Float32Array(4 * 3 * SIDE * SIDE)
    inPython(torch.python!, code('torch.save(state, "theirs.pth"); y = torch.zeros(1)'), none)
    await exported([
      at('theirs.pth'),
      '--format',
      'torchvision',
      '--with',
      'classifier',
      '--out',
      at('ours.pth'),
    ])
    const compare = `back = torch.load("ours.pth", **how)
assert list(back) == list(state)
same = [a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b) for a, b in zip(back.values(), state.values())]
y = torch.tensor([sum(same), len(state)])`
    const [same, all] = inPython(torch.python!, code(compare), none)
    expect(same).toBe(all)
    expect(all).toBe(320)
  }, 30_000)
})

describe.skipIf(timm.python === null)(`timm${timm.why}`, () => {
  test.each([
    ['resnet18', 'supervised', []],
    ['vit_tiny', 'vit.safetensors', ['--set', 'vit.pooling=class']],
    [
      'vit_tiny',
      'vit.safetensors',
      [
        '--encoder',
        'vit_tiny',
        '--image-size',
        `${SIDE}`,
        '--set',
        'vit.patchSize=8',
        '--set',
        'vit.pooling=mean',
      ],
    ],
  ] as const)(
    '%s of %s %j',
    async (name, model, flags) => {
      const out = at(`timm-${name}-${flags.length}`)
      await exported([at(model), ...flags, '--format', 'timm', '--out', out])
      const pooling = flags.length > 2 ? 'mean' : 'class'
      const { pixels, features } = engineFeatures(at(model), name, {
        vit: { patchSize: 8, pooling },
        imageSize: SIDE,
      })
      const code = `import timm
model = timm.create_model("local-dir:${out}", pretrained=True, num_classes=0).eval()
config = timm.data.resolve_model_data_config(model)
assert tuple(config["input_size"]) == (3, ${SIDE}, ${SIDE}) and config["crop_pct"] == 1 and config["interpolation"] == "bicubic", config
assert tuple(config["mean"]) == (0.485, 0.456, 0.406) and model.num_features == ${name === 'resnet18' ? 512 : 192}
y = model(x)`
      expect(relativeError(inPython(timm.python!, code, pixels), features)).toBeLessThan(1e-5)
    },
    60_000,
  )

  test("torchvision's own models take torchvision's files; the card's Python runs", async () => {
    const { pixels, features } = engineFeatures(at('vit.safetensors'), 'vit_tiny', {
      vit: { patchSize: 8 },
      imageSize: SIDE,
    })
    for (const [model, format] of [
      ['vit.safetensors', 'torchvision'],
      ['supervised', 'torchvision'],
      ['trex', 'torchvision'],
      ['vit.safetensors', 'safetensors'],
      ['trex', 'safetensors'],
      ['supervised', 'timm'],
    ] as const) {
      const out = at(`card-${format}-${model.replace('.', '-')}`)
      await exported([at(model), '--format', format, '--out', out])
      const [, code] = /```python\n(.*?)```/s.exec(readFileSync(join(out, 'README.md'), 'utf8'))!
      cpSync(at('photos', '0.png'), join(out, 'a.jpg'))
      const random = model === 'vit.safetensors' ? 'y = model(x)' : 'y = y'
      const script = `mine = x\nimport os; os.chdir(${JSON.stringify(out)})\n${code}\nx = mine\n${random}\nos.chdir("..")`
      const y = inPython(timm.python!, script, pixels)
      if (model === 'vit.safetensors') expect(relativeError(y, features)).toBeLessThan(1e-5)
      else expect(y.length).toBe(512)
    }
  }, 120_000)
})

describe('graphs', () => {
  test('of a run with all its outputs are verified on its own images before they are kept', async () => {
    const out = at('all.onnx')
    const { files, verified } = await exported([
      at('trex'),
      '--format',
      'onnx',
      '--with',
      'projector,prototypes',
      '--out',
      out,
    ])
    expect(files.map((file) => file.slice(dir.length + 1))).toEqual(['all.onnx', 'all.verify.json'])
    const report = JSON.parse(readFileSync(at('all.verify.json'), 'utf8')) as Report
    expect(verified[0]!.report).toEqual(report)
    expect(report).toMatchObject({
      passed: true,
      images: 3,
      reference: expect.stringMatching(/^libtorch \S+, cpu$/),
    })
    expect(Object.keys(report.outputs)).toEqual(['features', 'embedding', 'logits'])
    for (const { maxRelativeError } of Object.values(report.outputs))
      expect(maxRelativeError).toBeLessThan(1e-4)
  })

  test.each(['supervised', 'headed.safetensors'])('with the linear classifier of %s', async (model) => {
    const flags = [
      '--format',
      'onnx',
      '--with',
      'classifier',
      '--images',
      at('photos'),
      '--out',
      at(`${model}.onnx`),
    ]
    const report = (await exported([at(model), ...flags])).verified[0]!.report!
    expect(Object.keys(report.outputs)).toEqual(['features', 'logits'])
    expect(report.outputs.logits!.maxRelativeError).toBeLessThan(1e-4)
  })

  test('that are not what the encoder computes are refused, and nothing is left', async () => {
    // The values between two layers are beyond the largest half: fp16 cannot compute this encoder, fp32 can.
    tidy(() => {
      const encoder = createEncoder('resnet18', { generator: new Generator(1) })
      const state = new Map(encoder.stateDict())
      noGrad(() => state.get('bn1.weight')!.fill_(1e6))
      noGrad(() => state.get('layer1.0.bn1.running_var')!.fill_(1e12))
      saveTensors(at('huge.safetensors'), state)
    })
    const args = [
      at('huge.safetensors'),
      '--image-size',
      `${SIDE}`,
      '--encoder',
      'resnet18',
      '--set',
      'stem=imagenet',
      '--images',
      at('photos'),
      '--format',
      'onnx',
    ]
    await fails(
      [...args, '--precision', 'fp16', '--out', at('huge.onnx')],
      /error: the fp16 graph is not what libtorch .* computes: features is off by/,
      /hint: nothing was written/,
    )
    await exported([...args, '--out', at('huge.onnx')])
  })

  test('of int8 are calibrated on the images that are named, or hold int8 weights alone', async () => {
    const args = ['--format', 'onnx', '--precision', 'int8']
    for (const twin of ['a', 'b']) cpSync(at('photos'), at('twins', twin), { recursive: true }) // with neighbours
    const sizes: number[] = []
    for (const [calibrate, source] of [
      [at('photos'), '12 of 12 images of --calibrate'],
      ['none', null],
    ] as const) {
      const out = at(`int8-${sizes.length}.onnx`)
      const named = ['--images', at('twins'), '--calibrate', calibrate]
      const { verified } = await exported([at('supervised'), ...args, ...named, '--out', out])
      expect(verified[0]!.report).toMatchObject({ calibration: source, images: 24, passed: true })
      expect(verified[0]!.report!.outputs.features!.maxRelativeError).toBeGreaterThan(1e-6)
      sizes.push(readFileSync(out).length)
    }
    for (const size of sizes) expect(size).toBeLessThan(0.3 * 44_700_000) // of the float32 file
    const weights = [at('vit.safetensors'), ...args, '--images', at('photos'), '--out', at('never.onnx')]
    const few = [at('supervised'), ...args, '--out', at('never.onnx')] // its 3 validation images
    await fails(few, /neighbours among 3 images say nothing, 20 are needed/, /--images/)
    await fails(weights, /there are no images to calibrate int8 on/, /--calibrate none/)
  })

  test('of weights that compute nothing finite are not compared', async () => {
    const golden = fileURLToPath(new URL('../../test/golden/pth/encoder-torchvision.pth', import.meta.url))
    const args = [golden, '--format', 'onnx', '--images', at('photos'), '--out', at('nan.onnx')]
    await fails(args, /the model's own features of the images are not finite/, /out of bounds/)
  })

  test('need images, or to be asked for unseen; then the card says so', async () => {
    const args = [at('vit.safetensors'), '--format', 'onnx']
    await fails(
      [...args, '--out', at('unseen')],
      /no images to compare the graph on/,
      /hint: name a folder of images with --images/,
    )
    const { verified } = await exported([...args, '--out', at('unseen'), '--unverified'])
    expect(verified).toEqual([{ file: 'model.onnx', precision: 'fp32', report: null }])
    expect(readdirSync(at('unseen')).sort()).toEqual(['README.md', 'model.onnx'])
    expect(readFileSync(at('unseen', 'README.md'), 'utf8')).toContain('not verified')
  })

  test('without libtorch are compared with the fp32 graph, and that says so', async () => {
    const env = { TREX_ENGINE: '/no/engine.json' }
    const args = [at('supervised'), '--format', 'onnx', '--out', at('half.onnx')]
    const { verified } = await exported([...args, '--precision', 'fp16'], env)
    expect(verified[0]!.report!.reference).toMatch(/^the fp32 graph in onnxruntime-node/)
    await fails(
      [...args, '--force'],
      /there is no libtorch here to compare the graph with/,
      /--unverified/,
      env,
    )
  })
})

describe('transformers.js', () => {
  test('the real package loads the folder: the same features of images that need no resizing, nearly of others', async () => {
    await makePhotos(at('exact'), 3, [SIDE, SIDE])
    const flags = ['--format', 'transformers.js']
    const { files } = await exported([
      at('supervised'),
      ...flags,
      '--precision',
      'fp32,fp16',
      '--out',
      at('tjs'),
    ])
    expect(files.map((file) => file.slice(at('tjs').length + 1)).sort()).toEqual([
      ...['README.md', 'config.json', 'onnx/model.onnx', 'onnx/model.verify.json', 'onnx/model_fp16.onnx'],
      ...['onnx/model_fp16.verify.json', 'preprocessor_config.json'],
    ])
    await exported([at('vit.safetensors'), ...flags, '--images', at('photos'), '--out', at('tjs-vit')])
    const { env, pipeline } = await import('@huggingface/transformers')
    Object.assign(env, { allowRemoteModels: false, localModelPath: dir })
    for (const [folder, dtype, limit, width] of [
      ['tjs', 'fp32', 1e-6, 512],
      ['tjs', 'fp16', 1e-5, 512],
      ['tjs-vit', 'fp32', 1e-6, 192],
    ] as const) {
      const extract = await pipeline('image-feature-extraction', folder, { dtype })
      for (const [images, most] of [
        ['exact', limit],
        ['photos', 1e-2],
      ] as const)
        for (const name of readdirSync(at(images))) {
          const { data, dims } = await extract(at(images, name), { pool: true })
          expect(dims).toEqual([1, width])
          const ours = await featuresOf(at(images, name), folder === 'tjs' ? 'resnet18' : 'vit_tiny')
          expect(cosineDistance(data as Float32Array, ours), `${folder} ${name}`).toBeLessThan(most)
        }
      await extract.dispose()
    }
  }, 60_000)
})

/** Features of an image by the supervised run's encoder or the transformer, read as `trex extract` reads it. */
async function featuresOf(path: string, name: 'resnet18' | 'vit_tiny'): Promise<Float32Array> {
  const image = applyEvalTransform(await decodeImage(path), { resize: SIDE, crop: SIDE, filter: 'bicubic' })
  const target = { precision: { device: 'cpu', dtype: null }, channelsLast: false } as const
  const batch = { images: image.data, size: 1, normalization: IMAGENET_NORMALIZATION }
  return tidy(() => {
    const encoder = createEncoder(name, { vit: { patchSize: 8 }, imageSize: SIDE })
    loadEncoder(encoder, name === 'resnet18' ? at('supervised') : at('vit.safetensors'))
    encoder.eval()
    return noGrad(() => encoder.forward(imageTensor(batch, target)).toFloat32Array())
  })
}

function cosineDistance(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0)
  return 1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

describe('safetensors', () => {
  test('hold the encoder, projector and class means of a run, and what the model is', async () => {
    const out = at('full.safetensors')
    await exported([at('trex'), '--format', 'safetensors', '--with', 'prototypes,projector', '--out', out])
    using run = openSafetensors(at('trex', 'checkpoints', 'last.safetensors'))
    using file = openSafetensors(out)
    for (const name of file.entries.keys()) {
      if (name === 'prototypes.weight') continue
      const own = name.startsWith('projector.') ? `model.${name}` : `model.encoder.${name}`
      const [written, trained] = [file.read(name), run.read(own)]
      expect([written.dtype, written.shape], name).toEqual([trained.dtype, trained.shape])
      expect(Buffer.compare(written.data, trained.data), name).toBe(0)
    }
    expect([...file.entries.keys()].filter((name) => !name.includes('layer')).slice(0, 2)).toEqual([
      'conv1.weight',
      'bn1.weight',
    ])
    const { classes, ...description } = readDescription(file.metadata)!
    expect(classes).toEqual(['class0', 'class1', 'class2'])
    expect(description).toMatchObject({
      encoder: 'resnet18',
      stem: 'small',
      featureDim: 512,
      preprocess: { resize: SIDE, crop: SIDE, filter: 'bicubic' },
    })

    const bank = typedArrayOf(run.read('prototypes.memory_bank.features')) as Float32Array
    const labels = typedArrayOf(run.read('prototypes.memory_bank.labels')) as BigInt64Array
    const means = typedArrayOf(file.read('prototypes.weight')) as Float32Array
    for (let c = 0; c < 3; c++) {
      const rows = [...labels.keys()].filter((row) => labels[row] === BigInt(c))
      const sum = Array.from({ length: 8 }, (_, d) =>
        rows.reduce((total, row) => total + bank[8 * row + d]!, 0),
      )
      const length = Math.hypot(...sum)
      for (const [d, value] of sum.entries()) expect(means[8 * c + d]).toBeCloseTo(value / length, 5)
    }
  })

  test('a model exported, and exported again from that, is the same', async () => {
    await exported([
      at('trex'),
      '--format',
      'safetensors',
      '--preparation',
      'validation',
      '--out',
      at('one.safetensors'),
    ])
    await exported([at('one.safetensors'), '--format', 'safetensors', '--out', at('two.safetensors')])
    expect(readFileSync(at('two.safetensors')).equals(readFileSync(at('one.safetensors')))).toBe(true)
  })
})

test('the card tells how the model was made, checked and licensed', async () => {
  const results = {
    format: 'trex-transfer-1',
    model: { name: 'm', encoder: 'resnet18', fingerprint: 'f' },
    settings: {},
    sets: [
      {
        name: 'dtd',
        probe: 'lbfgs',
        metric: 'top1',
        classes: 3,
        trainval: 9,
        test: 9,
        leftOut: 0,
        fingerprint: 'f',
        seeds: [40, 42].map((score, seed) => ({
          seed,
          score,
          meanPerClass: score,
          validation: score,
          chosen: { C: 1 },
        })),
        knn: 1,
        classMeans: 1,
      },
    ],
  }
  writeFileSync(at('results.json'), JSON.stringify(results))
  const flags = [
    '--license',
    'cc-by-4.0',
    '--title',
    'A <b>title</b> | *with* [signs](x)',
    '--results',
    at('results.json'),
  ]
  await exported([at('supervised'), '--format', 'onnx', '--out', at('carded'), ...flags])
  const card = readFileSync(at('carded', 'README.md'), 'utf8')
  const [, front, body] = /^---\n(.*?)\n---\n(.*)$/s.exec(card)!
  expect(parse(front!)).toEqual({
    license: 'cc-by-4.0',
    library_name: 'onnx',
    pipeline_tag: 'image-feature-extraction',
    tags: ['image-feature-extraction', 'trex', 'resnet18'],
  })
  const data = JSON.parse(readFileSync(at('supervised', 'data.json'), 'utf8'))
  const [row] = readFileSync(at('supervised', 'metrics.jsonl'), 'utf8').trim().split('\n').reverse()
  for (const text of [
    '| supervised |',
    '3 classes, 15 training and 3 validation images',
    data.images,
    `top-1 | ${JSON.parse(row!).top1.toFixed(2)} %`,
    '| dtd | linear probe, top-1 | 41.00 % |',
    '- weights: cc-by-4.0',
    '- data: not stated',
    '100.00 %',
  ])
    expect(body).toContain(text)
  expect(body).not.toMatch(/<b>|\*with\*|\[signs\]/)
  expect(body).not.toContain(dir)
})

test('what is there stays, unless it is an older export and may be replaced', async () => {
  const args = [at('supervised'), '--format', 'timm', '--out', at('again')]
  await exported(args)
  await fails(args, /again is there already/, /--force/)
  writeFileSync(at('again', 'model.safetensors'), 'old')
  mkdirSync(at('.again.0123456789ab.tmp')) // of one that was killed
  await exported([...args, '--force'])
  expect(readdirSync(dir).filter((name) => name.startsWith('.again'))).toEqual([])
  expect(readFileSync(at('again', 'model.safetensors')).length).toBeGreaterThan(40_000_000)
  writeFileSync(at('again', 'thesis.txt'), 'mine')
  await fails([...args, '--force'], /holds more than an export: thesis.txt/, /another --out/)
  await fails(
    [at('supervised'), '--format', 'timm', '--out', at('supervised'), '--force'],
    /holds more than an export/,
    /another --out/,
  )
  writeFileSync(at('file'), 'x')
  await fails([...args.slice(0, -1), at('file')], /is no folder/, /another --out/)
  expect(existsSync(at('again', 'thesis.txt'))).toBe(true)
})

/** The model, the format with flags as commander gives them, what is wrong, and what to do. */
const refusals: readonly (readonly [string, Format, Partial<ExportFlags>, RegExp, RegExp])[] = [
  ['vit.safetensors', 'torchvision', { with: 'projector' }, /have no place for a projector/, /safetensors/],
  [
    'trex',
    'safetensors',
    { with: 'classifier' },
    /the model has no classifier/,
    /cosines .* projector,prototypes/,
  ],
  ['supervised', 'safetensors', { with: 'prototypes' }, /the model has no prototypes/, /--with classifier/],
  ['supervised', 'onnx', { with: 'projector' }, /the model has no projector/, /without one/],
  [
    'vit.safetensors',
    'onnx',
    { with: 'classifier', unverified: true },
    /has no classifier/,
    /supervised run/,
  ],
  ['trex', 'timm', {}, /timm has no ResNet whose first layer is 3x3/, /--format safetensors/],
  ['supervised', 'transformers.js', { with: 'classifier' }, /no place for classifier/, /--format onnx/],
  ['supervised', 'timm', { precision: 'fp16' }, /--precision is for graphs/, /--format onnx/],
  ['supervised', 'onnx', { precision: 'fp32,fp16' }, /an ONNX file is of one precision/, /own/],
  ['supervised', 'onnx', { precision: 'int4' }, /--precision int4 is none of/, /commas/],
  [
    'supervised',
    'onnx',
    { calibrate: 'x', precision: 'fp16' },
    /--calibrate is for --precision int8/,
    /leave/,
  ],
  ['supervised', 'onnx', { with: 'head' }, /--with head is none of projector, classifier/, /commas/],
  ['supervised', 'onnx', { images: 'x', unverified: true }, /contradict each other/, /leave one out/],
  ['supervised', 'onnx', { images: '/nowhere' }, /there is no folder \/nowhere/, /--images/],
  ['nothing.pth', 'timm', {}, /there is no run or file/, /trex train/],
  ['random:resnet18', 'timm', {}, /encoder without training/, /export a run/],
]
test.each(refusals)('%s as %s with %j is refused', async (model, format, more, error, hint) => {
  const path = model.startsWith('random:') ? model : at(model)
  const before = readdirSync(dir)
  const flags = { format, out: at('never'), set: [] as string[], preparation: 'extract' as const, ...more }
  const refused = await runExport(path, flags).catch((cause: unknown) => cause)
  expect(refused).toBeInstanceOf(TrexError)
  expect((refused as TrexError).message).toMatch(error)
  expect((refused as TrexError).hint).toMatch(hint)
  expect(readdirSync(dir)).toEqual(before)
})
