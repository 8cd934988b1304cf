import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import sharp from 'sharp'
import { Generator, saveTensors, setNumThreads, tidy } from 'trex-torch'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { main, trex } from '../../test/support/trex.js'
import { loadEncoder } from '../embed/loadEncoder.js'
import { readVectors } from '../features/readVectors.js'
import { createEncoder } from '../method/encoder.js'
import { rngFor } from '../rng.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-embed-cli-'))
const at = (...names: string[]) => join(dir, ...names)
const weights = at('weights.safetensors')
const FLAGS = ['--size', '64', '--threads', '1', '--workers', '1']
const names = ['a.jpg', 'b ü.jpg', 'deep/c.jpg', 'deep/d.png', 'z.jpg']

async function makePhoto(path: string, seed: number): Promise<void> {
  const rng = rngFor(seed)
  const [width, height] = [66 + (seed % 30), 64 + ((7 * seed) % 40)]
  const pixels = Uint8Array.from(
    { length: width * height * 3 },
    (_, p) => (p / (7 + seed) + rng.int(60)) % 256,
  )
  await sharp(pixels, { raw: { width, height, channels: 3 } }).toFile(path)
}

beforeAll(async () => {
  setNumThreads(1)
  mkdirSync(at('photos', 'deep'), { recursive: true })
  for (const [i, name] of names.entries()) await makePhoto(at('photos', name), i)
  writeFileSync(at('photos', 'notes.txt'), 'no image')
  writeFileSync(at('photos', '.hidden.jpg'), 'no image')
  tidy(() => saveTensors(weights, createEncoder('resnet18', { generator: new Generator(8) }).stateDict()))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** Runs in the folder, so that paths are short. */
const run = (args: readonly string[]) => trex(args, { cwd: dir })

async function embedded(args: readonly string[]) {
  const { status, stdout, stderr } = await run(['embed', weights, ...args, ...FLAGS, '--json'])
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  return { ...JSON.parse(stdout), stderr }
}

async function fails(args: readonly string[], error: string, hint = ''): Promise<void> {
  const { status, stdout, stderr } = await run(args)
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toContain(error)
  expect(stderr).toContain(hint)
  expect(stderr).not.toMatch(/^\s+at |may be a bug/m)
}

/** What `loadEncoder` gives. */
async function features(paths: readonly string[]): Promise<Float32Array> {
  await using encoder = await loadEncoder(weights, { imageSize: 64, threads: 1, engine: 'onnxruntime' })
  return (await encoder.embed(paths)).features
}

describe('in every format, features are those of loadEncoder with the paths as they were given', () => {
  const paths = names.map((name) => `photos/${name}`)
  test.each([
    ['npz', ['all.npz']],
    ['npy', ['all.npy', 'all.paths.npy', 'all.json']],
    ['parquet', ['all.parquet']],
    ['jsonl', ['all.jsonl', 'all.jsonl.json']],
  ])('%s', async (format, files) => {
    const out = at(format)
    const written = await embedded(['photos/', '--out', join(out, `all.${format}`)])
    expect(written).toMatchObject({ images: 5, dim: 512, found: false, skipped: null, leftOut: [] })
    expect(readdirSync(out).sort()).toEqual([...files].sort())
    const read = await readVectors(join(out, files[0]!))
    expect(read.paths).toEqual(paths)
    const expected = await features(names.map((name) => at('photos', name)))
    expect(read.features.every((value, i) => Math.abs(value - expected[i]!) < 1e-5)).toBe(true)
    expect(read.info).toMatchObject({ identity: { precision: 'fp32', transform: { crop: 64 } }, classes: [] })
    expect((await embedded(['photos/', '--out', join(out, `all.${format}`)])).found).toBe(true)
    const other = ['embed', weights, 'photos/a.jpg', '--out', join(out, `all.${format}`), ...FLAGS]
    await fails(other, 'holds features of another data', 'choose another --out')
  })
})

test('paths from stdin, and lines of JSON to stdout', async () => {
  const list = ['photos/z.jpg', at('photos', 'a.jpg')]
  for (const separator of ['\n', '\0']) {
    const child = spawn(process.execPath, [main, 'embed', weights, '-', '--out', '-', ...FLAGS], { cwd: dir })
    child.stdin.end(list.map((path) => path + separator).join(''))
    const lines: string[] = []
    for await (const text of child.stdout) lines.push(String(text))
    const rows = lines.join('').trim().split('\n').map((line) => JSON.parse(line)) // biome-ignore format: one chain
    expect(rows.map(({ path }) => path)).toEqual(list)
    const expected = await features([at(list[0]!), list[1]!])
    const values = Float32Array.from(rows.flatMap((row) => row.features))
    expect(values).toEqual(expected) // nine digits are enough
  }
})

test('a reader that has enough ends it', async () => {
  const many = at('many.txt')
  writeFileSync(many, Array(20_000).fill('photos/a.jpg').join('\n'))
  const args = [main, 'embed', weights, '-', '--out', '-', ...FLAGS].map((arg) => `'${arg}'`).join(' ')
  const child = spawn('sh', ['-c', `'${process.execPath}' ${args} < many.txt | head -1 | cut -c1-20`], {
    cwd: dir,
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (text) => {
    out += text
  })
  child.stderr.on('data', (text) => {
    err += text
  })
  await new Promise((done) => child.on('close', done))
  expect({ out, err }).toEqual({ out: '{"path":"photos/a.jp\n', err: '' })
}, 40_000) // all of them would take minutes

test('killed at any moment, it goes on to the same bytes', async () => {
  const big = at('big.safetensors')
  tidy(() => saveTensors(big, createEncoder('resnet50', { generator: new Generator(9) }).stateDict()))
  const list = Array.from({ length: 160 }, (_, i) =>
    i === 9 ? 'photos/notes.txt' : `photos/${names[i % 5]}`,
  )
  const args = [
    'embed',
    big,
    ...list,
    '--batch-size',
    '2',
    '--threads',
    '1',
    '--on-bad',
    'skip',
    '--workers',
    '1',
  ]
  expect((await run([...args, '--out', 'whole.npz'])).status).toBe(0)
  const partial = at('.killed.npz.features').replace('.killed', '..killed')
  const progress = at(`${partial.slice(dir.length + 1)}.partial`, 'progress.json')
  const start = () => {
    const child = spawn(process.execPath, [main, ...args, '--out', 'killed.npz'], {
      cwd: dir,
      stdio: 'ignore',
    })
    return { child, ended: new Promise((done) => child.on('close', (_, signal) => done(signal))) }
  }
  const first = start() // killed as soon as something is committed
  while (first.child.exitCode === null && !existsSync(progress)) await sleep(20)
  first.child.kill('SIGKILL')
  expect(await first.ended).toBe('SIGKILL')
  const { done } = JSON.parse(readFileSync(progress, 'utf8'))
  expect(done).toBeGreaterThan(0)
  await fails(
    [...args, '--batch-size', '4', '--out', 'killed.npz'],
    'another batch size',
    'give the same command',
  )
  const { status, stdout, stderr } = await run([...args, '--out', 'killed.npz'])
  expect(status).toBe(0)
  expect(stderr).toContain(`goes on after ${done} images`)
  expect(stdout).toContain('photos/notes.txt is not an image')
  expect(stdout).toContain('killed.npz: 159 x 2048, 1 left out')
  expect(readFileSync(at('killed.npz')).equals(readFileSync(at('whole.npz')))).toBe(true)
  expect(
    readdirSync(dir)
      .filter((name) => name.includes('killed'))
      .sort(),
  ).toEqual(['killed.npz', 'killed.npz.skipped.json'])
}, 120_000)

test('an image that cannot be read is an error, or left out and named', async () => {
  writeFileSync(at('broken.jpg'), readFileSync(at('photos', 'a.jpg')).subarray(0, 400))
  const args = ['photos/a.jpg', 'broken.jpg', 'gone.jpg', 'photos/z.jpg', '--out', 'some.npz']
  await fails(['embed', weights, ...args, ...FLAGS], 'broken.jpg', 'fetch it again')
  const { skipped, leftOut } = await embedded([...args, '--on-bad', 'skip'])
  expect(leftOut.map(({ path }: { path: string }) => path)).toEqual(['broken.jpg', 'gone.jpg'])
  expect(JSON.parse(readFileSync(at(skipped), 'utf8'))).toEqual([
    { path: 'broken.jpg', reason: expect.stringContaining('truncated or damaged') },
    { path: 'gone.jpg', reason: expect.stringContaining('no such file') },
  ])
  expect((await readVectors(at('some.npz'))).paths).toEqual(['photos/a.jpg', 'photos/z.jpg'])
  await fails(
    ['embed', weights, 'broken.jpg', '--on-bad', 'skip', '--out', 'none.npz', ...FLAGS],
    'not one image',
  )
})

test('what cannot be done is an error that says what to do', async () => {
  mkdirSync(at('empty'), { recursive: true })
  writeFileSync(at('empty', 'notes.txt'), 'no image')
  const to = ['--out', 'x.npz']
  await fails(
    ['embed', weights, 'empty', ...to, ...FLAGS],
    'no images in empty; there are 1 .txt',
    'images are .jpg',
  )
  await fails(['embed', weights, 'photos', '--out', 'x', ...FLAGS], 'x does not tell its format', '--format')
  await fails(['embed', 'gone.pth', 'photos', ...to], 'there is no model gone.pth', 'run folder')
  await fails(['embed', 'photos/a.jpg', 'photos', ...to], 'photos/a.jpg', '')
  await fails(
    ['embed', weights, 'photos', ...to, '--engine', 'onnxruntime', '--precision', 'bf16'],
    'bf16',
    'libtorch',
  )
  await fails(['embed', weights, 'photos', ...to, '--preprocess', '{"resize": "x"}'], 'resize')
})

describe('trex search', () => {
  test('finds by image and by vector, in every format', async () => {
    await embedded(['photos', '--out', 'found.npz'])
    const { status, stdout } = await run(
      ['search', weights, 'photos/z.jpg', '--in', 'found.npz', '--k', '2', '--json', '--html', 'page.html'],
    ) // biome-ignore format: one call
    expect(status).toBe(0)
    const [{ query, hits }] = JSON.parse(stdout)
    expect(query).toBe('photos/z.jpg')
    expect(hits).toHaveLength(2)
    expect(hits[0]).toEqual({ path: 'photos/z.jpg', index: 4, score: expect.closeTo(1, 5) })
    const page = readFileSync(at('page.html'), 'utf8')
    expect(page.match(/<img src="data:image\/webp/g)).toHaveLength(3)

    await embedded(['photos', '--out', 'found.jsonl'])
    const own = await run(['search', 'found.jsonl', 'photos/z.jpg', '0', '--json', '--k', '10'])
    const [byPath, byNumber] = JSON.parse(own.stdout)
    expect(byPath.hits).toHaveLength(4) // none finds itself
    expect(byPath.hits[0]).toEqual({ ...hits[1], score: expect.closeTo(hits[1].score, 5) })
    expect(byNumber.query).toBe('photos/a.jpg')
    const text = await run(['search', 'found.npz', '4', '--k', '1'])
    expect(text.stdout).toBe(`photos/z.jpg\n  ${hits[1].score.toFixed(4).padStart(7)}  ${hits[1].path}\n`)
  })

  test('features of another model, and what is not there, are errors', async () => {
    const other = at('other.safetensors')
    tidy(() => saveTensors(other, createEncoder('resnet18', { generator: new Generator(1) }).stateDict()))
    await fails(
      ['search', other, 'photos/z.jpg', '--in', 'found.npz'],
      'features of another model',
      'search with',
    )
    await fails(['search', weights, 'photos/z.jpg'], 'there is nothing to search', '--in FEATURES')
    await fails(['search', weights, 'photos/z.jpg', '--in', 'gone.npz'], 'there is no feature file gone.npz')
    await fails(
      ['search', 'found.npz', 'photos/gone.jpg'],
      'found.npz has no image photos/gone.jpg',
      'the first is',
    )
    await fails(['search', 'gone.npz', '0'], 'there is no model or feature file gone.npz')
    await fails(['search', weights, 'photos/notes.txt', '--in', 'found.npz'], 'photos/notes.txt', '')
  })
})
