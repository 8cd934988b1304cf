import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import sharp from 'sharp'
import { Generator, noGrad, saveTensors, setNumThreads, tidy } from 'trex-torch'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TINY, trex } from '../../test/support/trex.js'
import { decodeImage } from '../data/decode/decode.js'
import { applyEvalTransform } from '../data/pixels/evalTransform.js'
import { IMAGENET_NORMALIZATION } from '../data/pixels/normalize.js'
import { readFeatures } from '../features/readFeatures.js'
import { createEncoder } from '../method/encoder.js'
import { imageTensor } from '../method/imageTensor.js'
import { rngFor } from '../rng.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-extract-'))
const at = (...names: string[]) => join(dir, ...names)
const data = at('photos')
/** Enough work to be stopped in. */
const SLOW = ['--split', 'all', '--batch-size', '2', '--size', '224']
const SMALL = ['--size', '32', '--precision', 'fp32', '--device', 'cpu', '--workers', '1']

/** JPEGs of noise on a slope, larger than what is cut out of them, of odd sizes. */
async function makeJpegs(root: string, perClass: number): Promise<void> {
  const rng = rngFor(11)
  for (const kind of ['cat', 'dög']) {
    mkdirSync(join(root, kind), { recursive: true })
    for (let i = 0; i < perClass; i++) {
      const [width, height] = [40 + 3 * i, 57]
      const pixels = Uint8Array.from({ length: width * height * 3 }, (_, p) => (p / 40 + rng.int(60)) % 256)
      await sharp(pixels, { raw: { width, height, channels: 3 } })
        .jpeg()
        .toFile(join(root, kind, `${i}.jpg`))
    }
  }
}

beforeAll(async () => {
  setNumThreads(1)
  await makeJpegs(data, 5)
  tidy(() => {
    const encoder = createEncoder('resnet18', { generator: new Generator(8) })
    saveTensors(at('weights.safetensors'), encoder.stateDict())
  })
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

async function extracted(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = await trex(['extract', ...args, '--json'], { env })
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  return { ...JSON.parse(stdout), stderr }
}

async function fails(args: readonly string[], error: string | RegExp, hint: string): Promise<void> {
  const { status, stdout, stderr } = await trex(['extract', ...args])
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toMatch(error)
  expect(stderr).toContain(`hint: ${hint}`)
  expect(stderr).not.toMatch(/^\s+at |may be a bug/m)
}

describe('weights', () => {
  test('are recognised, and their features are those of the encoder on each image', async () => {
    const out = at('plain')
    const { encoder, parts } = await extracted([
      ...[at('weights.safetensors'), data, '--out', out, '--split', 'all', '--batch-size', '4'],
      ...SMALL,
    ])
    expect(encoder).toBe(`resnet18 of ${at('weights.safetensors')}`)
    expect(parts).toMatchObject([{ part: 'all', images: 10, dim: 512, precision: 'fp32', found: false }])
    expect(readdirSync(out)).toEqual(['all.safetensors'])
    const read = readFeatures(join(out, 'all.safetensors'))
    expect([...read.labels].sort()).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    expect(new Set(read.paths!.map((path) => path.normalize()))).toContain('dög/3.jpg')
    expect(read.info).toMatchObject({ classes: ['cat', 'dög'], root: data, leftOut: [] })

    const net = createEncoder('resnet18', { generator: new Generator(8) }).eval()
    const { mean, std } = IMAGENET_NORMALIZATION
    for (const [row, path] of read.paths!.entries()) {
      expect(read.labels[row]).toBe(path.startsWith('cat') ? 0 : 1)
      const image = await decodeImage(join(data, path))
      const { data: pixels } = applyEvalTransform(image, { resize: 32, crop: 32, filter: 'bicubic' })
      const images = Float32Array.from({ length: 3 * 1024 }, (_, i) => {
        const channel = Math.floor(i / 1024)
        return (pixels[3 * (i % 1024) + channel]! / 255 - mean[channel]!) / std[channel]!
      })
      const target = { precision: { device: 'cpu', dtype: null }, channelsLast: false } as const
      const one = { images, size: 1, normalization: IMAGENET_NORMALIZATION }
      const alone = tidy(() => noGrad(() => net.forward(imageTensor(one, target)).toFloat32Array()))
      for (const [j, value] of alone.entries())
        expect(Math.abs(read.features[row * 512 + j]! - value)).toBeLessThan(2e-5 * (1 + Math.abs(value)))
    }
    net.dispose()
  })

  test('are the same model by whatever name, and another when one number differs', async () => {
    const names = { prefixed: at('prefixed.safetensors'), other: at('other.safetensors') }
    tidy(() => {
      const state = createEncoder('resnet18', { generator: new Generator(8) }).stateDict()
      saveTensors(names.prefixed, new Map([...state].map(([name, tensor]) => [`backbone.${name}`, tensor])))
      noGrad(() => state.get('layer4.1.bn2.weight')!.select(0, 7).add_(1e-6))
      saveTensors(names.other, state)
    })
    const out = at('plain') // of the first test
    const again = ['--out', out, '--split', 'all', ...SMALL]
    expect((await extracted([names.prefixed, data, ...again])).parts).toMatchObject([{ found: true }])
    await fails([names.other, data, ...again], 'holds features of another model\n', 'choose another --out')
  })

  test('both parts are files of their own, and a run has its own size and weights', async () => {
    const run = at('run')
    const held = ['--val-fraction', '0.4']
    expect((await trex(['train', data, ...TINY, ...held, '--out', run])).status).toBe(0)
    const { parts, weights } = await extracted([run, data, '--out', at('of-run'), ...held])
    expect(weights).toMatch(/run\/checkpoints\/(best|last)\.safetensors$/)
    expect(parts).toMatchObject([
      { part: 'train', images: 6, transform: { resize: 16, crop: 16, filter: 'bicubic' } },
      { part: 'val', images: 4 },
    ])
    const [train, val] = ['train', 'val'].map((name) => readFeatures(at('of-run', `${name}.safetensors`)))
    expect(new Set([...train!.paths!, ...val!.paths!]).size).toBe(10)
    const last = await extracted([run, data, '--out', at('of-last'), ...held, '--checkpoint', 'last'])
    const direct = [join(run, 'checkpoints/last.safetensors'), data, '--size', '16', ...held]
    expect(last.fingerprint).toBe((await extracted([...direct, '--out', at('direct')])).fingerprint)
  })

  test('untrained ones are only made when they are asked for', async () => {
    const [a, b, c] = [
      await extracted(['random:resnet18', data, '--out', at('r1'), '--seed', '3', ...SMALL]),
      await extracted(['random:resnet18', data, '--out', at('r2'), '--seed', '3', ...SMALL]),
      await extracted(['random:resnet18', data, '--out', at('r3'), '--seed', '4', ...SMALL]),
    ]
    expect([a.weights, a.encoder]).toEqual([null, 'resnet18 without training, seed 3'])
    expect(a.fingerprint).toBe(b.fingerprint)
    expect(a.fingerprint).not.toBe(c.fingerprint)
    const out = ['--out', at('none')]
    await fails([at('none.pth'), data, ...out], 'there is no run or file', 'give the folder')
    await fails(['random:resnet19', data, ...out], 'encoder', '')
    const named = ['random:resnet18', data, ...out, '--encoder', 'resnet34']
    await fails(named, 'random:resnet18 names its encoder', 'leave out --encoder')
    const patches = ['random:vit_tiny', data, ...out, '--size', '40']
    await fails(patches, 'images of 40 px are not made of patches of 16 px', 'give a --size')
    const { status, stderr } = await trex(['eval', 'random:resnet18', data])
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('without training'),
    })
    await fails([at('photos/cat/0.jpg'), data, ...out], 'is no file of weights that is known', 'Give weights')
  })
})

test('killed at any moment, it goes on to the same bytes', async () => {
  const args = ['random:resnet50', data, ...SLOW, '--workers', '1']
  const precise = ['--precision', 'fp32', '--device', 'cpu', '--seed', '5', '--on-bad', 'skip']
  const many = at('many')
  await makeJpegs(many, 25)
  writeFileSync(join(many, 'cat', '12.jpg'), 'no image')
  args[1] = many
  await extracted([...args, ...precise, '--out', at('whole')])
  const whole = readFileSync(at('whole', 'all.safetensors'))

  const out = at('killed')
  const partial = join(out, '.all.safetensors.partial', 'progress.json')
  const main = fileURLToPath(new URL('../../bin/trex.cjs', import.meta.url))
  const start = () => {
    const child = spawn(process.execPath, [main, 'extract', ...args, ...precise, '--out', out], {
      env: { ...process.env, OMP_NUM_THREADS: '1' },
      stdio: 'ignore',
    })
    return { child, ended: new Promise((done) => child.on('close', (_, signal) => done(signal))) }
  }
  const first = start() // killed as soon as something is committed
  while (first.child.exitCode === null && !existsSync(partial)) await sleep(20)
  first.child.kill('SIGKILL')
  expect(await first.ended).toBe('SIGKILL')
  const second = start() // killed at some moment of its start or its first images
  await sleep(900)
  second.child.kill('SIGKILL')
  expect(await second.ended).toBe('SIGKILL')
  const resumed = JSON.parse(readFileSync(partial, 'utf8')).done
  expect(resumed).toBeGreaterThan(0)
  const other = ['--batch-size', '4']
  await fails([...args, ...other, ...precise, '--out', out], 'another batch size', 'give the same command')
  const { stderr, parts } = await extracted([...args, ...precise, '--out', out])
  expect(stderr).toContain(`all: goes on after ${resumed} images`)
  expect(parts[0]).toMatchObject({ images: 49, leftOut: [{ path: join(many, 'cat', '12.jpg') }] })
  expect(readFileSync(join(out, 'all.safetensors')).equals(whole)).toBe(true)
  expect(readdirSync(out)).toEqual(['all.safetensors'])
}, 180_000)

test('a signal stops it in good order: all that was computed is kept', async () => {
  const args = ['random:resnet50', data, ...SLOW, '--seed', '6']
  const rest = ['--precision', 'fp32', '--device', 'cpu', '--workers', '1']
  const [out, progress] = [at('stopped'), at('stopped', '.all.safetensors.partial')]
  const main = fileURLToPath(new URL('../../bin/trex.cjs', import.meta.url))
  const child = spawn(process.execPath, [main, 'extract', ...args, ...rest, '--out', out], {
    env: { ...process.env, OMP_NUM_THREADS: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (text) => {
    stderr += text
  })
  const ended = new Promise<number | null>((done) => child.on('close', done))
  const written = () => statSync(join(progress, 'features.f32'), { throwIfNoEntry: false })?.size ?? 0
  while (child.exitCode === null && written() === 0) await sleep(5)
  child.kill('SIGTERM')
  expect(await ended).toBe(75) // to be started again
  const [, done] = /stopped after (\d+) of 10 images: the same command goes on/.exec(stderr) ?? []
  expect(JSON.parse(readFileSync(join(progress, 'progress.json'), 'utf8')).done).toBe(Number(done))
  expect((await extracted([...args, ...rest, '--out', out])).stderr).toContain(`goes on after ${done} images`)
})

test('bad images are an error, or left out and recorded, whole batches of them too', async () => {
  const bad = at('bad')
  cpSync(data, bad, { recursive: true })
  const args = ['--split', 'all', '--batch-size', '2', ...SMALL]
  await extracted(['random:resnet18', bad, ...args, '--out', at('good')])
  const { paths: all } = readFeatures(at('good', 'all.safetensors'))
  const places = [1, 2, 3, 8, 9] // one of a batch, a batch, the last batch
  for (const place of places) writeFileSync(join(bad, all![place]!), 'no image')
  const first = all![1]!.replace('.', '\\.')
  await fails(['random:resnet18', bad, ...args, '--out', at('bad1')], new RegExp(first), '')
  const skip = ['--out', at('bad1'), '--on-bad', 'skip']
  const { parts, stderr } = await extracted(['random:resnet18', bad, ...args, ...skip])
  expect(stderr.match(/^left out: /gm)).toHaveLength(5)
  expect(parts[0].images).toBe(5)
  const { paths, labels, info } = readFeatures(at('bad1', 'all.safetensors'))
  expect(info!.leftOut).toMatchObject(places.map((index) => ({ index, path: join(bad, all![index]!) })))
  expect(paths).toEqual(all!.filter((_, i) => !places.includes(i)))
  expect([...labels]).toEqual(paths!.map((path) => (path.startsWith('cat') ? 0 : 1)))
  for (const path of all!) writeFileSync(join(bad, path), 'no image')
  await fails(
    ['random:resnet18', bad, ...args, '--out', at('bad2'), '--on-bad', 'skip'],
    'not one image of part all could be read',
    'look at the data',
  )
})

describe('the cache', () => {
  const cache = at('cache')
  const args = ['random:resnet18', data, '--split', 'all', '--cache', cache, ...SMALL]

  test('has what was extracted before, unless images, weights, size or precision differ', async () => {
    const found = async (name: string, more: string[] = []) =>
      (await extracted([...args, '--out', at(name), ...more])).parts[0].found
    expect(await found('c1')).toBe(false)
    expect(await found('c2')).toBe(true)
    expect(readFileSync(at('c2', 'all.safetensors')).equals(readFileSync(at('c1', 'all.safetensors')))).toBe(
      true,
    )
    expect(await found('c3', ['--size', '64'])).toBe(false)
    expect(await found('c4', ['--seed', '9'])).toBe(false)
    expect(await found('c5', ['--precision', 'bf16'])).toBe(false)
    utimesSync(join(data, 'cat', '0.jpg'), 1, 1)
    expect(await found('c6')).toBe(false)
    expect(await found('c7')).toBe(true)
    expect(readdirSync(cache)).toHaveLength(5)
  })

  test('is an error when it is damaged, never used', async () => {
    await extracted([...args, '--out', at('c0')])
    const [name] = readdirSync(cache)
    for (const file of readdirSync(cache)) {
      const bytes = readFileSync(join(cache, file))
      bytes[bytes.length - 200]! ^= 1
      writeFileSync(join(cache, file), bytes)
    }
    expect(name).toMatch(/^[0-9a-f]{64}\.safetensors$/)
    await fails([...args, '--out', at('c8')], 'is damaged: its checksum is another', 'remove it')
    expect(readdirSync(at('c8'))).toEqual([])
  })
})

test('weights with the small stem do not tell the size of their images', async () => {
  const small = at('small.safetensors')
  tidy(() => saveTensors(small, createEncoder('resnet18', { stem: 'small' }).stateDict()))
  await fails(
    [small, data, '--out', at('small')],
    'do not tell for which size of images',
    'give --size, as 32',
  )
  const { parts } = await extracted([small, data, '--out', at('small'), ...SMALL])
  expect(parts[0].transform).toMatchObject({ resize: 32, crop: 32 })
})

test.each(['npy', 'npz', 'parquet'])('as %s, beside features that are there', async (format) => {
  const args = ['random:resnet18', data, '--split', 'all', ...SMALL]
  const out = at(`as-${format}`)
  await extracted([...args, '--out', out])
  const { info, ...expected } = readFeatures(join(out, 'all.safetensors'))
  const exporting = [...args, '--out', out, '--format', format]
  const { parts } = await extracted(exporting)
  const [first, ...others] = parts[0].files
  const names = [first, ...others, join(out, 'all.safetensors')].map((file: string) => basename(file))
  expect(readdirSync(out).sort()).toEqual(names.sort())
  if (format === 'parquet') {
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(first) })
    expect(rows.map(({ path }) => path)).toEqual(expected.paths)
    expect(Float32Array.from(rows.flatMap((row) => row.features as number[]))).toEqual(expected.features)
  } else expect(readFeatures(first)).toEqual({ ...expected, info: null })

  const again = await extracted(exporting)
  expect(again.parts).toMatchObject([{ found: true, images: 10, dim: 512 }])
  await fails([...exporting, '--seed', '9'], 'holds features of another model', 'choose another --out')
  writeFileSync(parts[0].files.at(-1), 'of somebody else')
  await fails(exporting, 'does not say of what it is', 'remove it, or choose another --out')
  if (format !== 'npy') return
  rmSync(parts[0].files.at(-1)) // as if killed before the last file
  expect((await extracted(exporting)).parts).toMatchObject([{ found: false, images: 10 }])
})

test('a transfer set has its own parts', async () => {
  const root = at('folders')
  await makeJpegs(join(root, 'train'), 3)
  await makeJpegs(join(root, 'test'), 2)
  const args = ['random:resnet18', root, '--dataset', 'folder', ...SMALL]
  const { parts } = await extracted([...args, '--out', at('parts')])
  expect(parts).toMatchObject([
    { part: 'trainval', images: 6 },
    { part: 'test', images: 4 },
  ])
  expect(readdirSync(at('parts')).sort()).toEqual(['test.safetensors', 'trainval.safetensors'])
  expect(readFeatures(at('parts', 'test.safetensors')).paths).toContain(join('test', 'cat', '0.jpg'))
  await fails(
    [...args, '--split', 'val', '--out', at('x')],
    'the parts of folder are',
    'give --split trainval',
  )
  await fails(
    ['random:resnet18', root, ...SMALL, '--split', 'test', '--out', at('x')],
    '--split test is for transfer sets',
    'say which with --dataset NAME',
  )
  await fails(
    ['random:resnet18', root, ...SMALL, '--dataset', 'pet', '--out', at('x')],
    'did you mean "pets"',
    'trex datasets list',
  )
})

test('half precision is near single', async () => {
  const args = ['random:resnet18', data, '--split', 'all', ...SMALL]
  const unasked = args.slice(0, args.indexOf('--precision')).concat('--device', 'cpu')
  const { parts } = await extracted([...unasked, '--out', at('fp32')])
  expect(parts[0].precision).toBe('fp32')
  await extracted([...args, '--out', at('bf16'), '--precision', 'bf16'])
  const [a, b] = ['fp32', 'bf16'].map((name) => readFeatures(at(name, 'all.safetensors')).features)
  const square = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0)
  expect(square(a!, b!) / Math.sqrt(square(a!, a!) * square(b!, b!))).toBeGreaterThan(0.999)
})
