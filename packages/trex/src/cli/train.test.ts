import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { type Kill, makeImages, TINY, trex } from '../../test/support/trex.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-cli-'))
const data = join(dir, 'images')
const at = (name: string) => join(dir, name)

beforeAll(() => makeImages(data))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** Runs `trex train`, which must fail with this error and remedy, without a stack. */
async function fails(
  args: readonly string[],
  error: string | RegExp,
  remedy: string,
  env = {},
): Promise<void> {
  const { status, stdout, stderr } = await trex(['train', ...args], { env })
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toMatch(error)
  expect(stderr).toContain(remedy)
  expect(stderr).not.toMatch(/^\s+at |may be a bug/m)
}

describe('data that cannot be trained on is an error, and leaves no run', () => {
  const out = at('none')
  const layout = 'hint: expected DATA/<class>/<image>.jpg'

  test.each([
    [
      'a missing folder',
      () => at('missing'),
      /error: cannot read .*missing: there is no such folder or file/,
      'hint: DATA is a folder of class folders',
    ],
    ['an empty folder', () => at('empty'), /error: .*empty has no class folders/, layout],
    ['one class', () => at('one'), /error: .*one has a single class, class0/, layout],
    [
      'a file',
      () => join(data, 'class0/0.png'),
      /error: .*0\.png is a file of an unknown kind \(\.png\)/,
      'hint: DATA is a folder of class folders',
    ],
    [
      'a class without images',
      () => at('hollow'),
      /error: the class folder .*class2 has no images/,
      'hint: add images',
    ],
    ['no folder at all', () => '', /error: train needs DATA, the images/, 'trex train DATA --out RUN'],
  ])('%s', async (_, root, error, remedy) => {
    mkdirSync(at('empty'), { recursive: true })
    cpSync(join(data, 'class0'), at('one/class0'), { recursive: true })
    cpSync(data, at('hollow'), { recursive: true })
    mkdirSync(at('hollow/class2'), { recursive: true })
    await fails([root(), ...TINY, '--out', out].filter(Boolean), error, remedy)
    expect(existsSync(out)).toBe(false)
  })

  test('a text file named .jpg', async () => {
    const bad = at('bad')
    cpSync(data, bad, { recursive: true })
    writeFileSync(join(bad, 'class1/notes.jpg'), 'not a picture\n')
    const flags = [...TINY, '--val-fraction', '0', '--batch-size', '13', '--out', out]
    await fails(
      [bad, ...flags],
      /error: .*class1\/notes\.jpg is not an image: it looks like text/,
      'hint: fetch it',
    )
    expect(existsSync(out)).toBe(false)
  })

  test('a web page among the validation images, before anything is trained', async () => {
    const bad = at('badVal')
    cpSync(data, join(bad, 'train'), { recursive: true })
    cpSync(data, join(bad, 'val'), { recursive: true })
    writeFileSync(join(bad, 'val/class0/0.png'), '<!doctype html><title>404</title>')
    writeFileSync(join(bad, 'val/class1/0.png'), '')
    await fails(
      [bad, ...TINY, '--out', out],
      /error: .*val\/class0\/0\.png is not an image: it looks like an HTML page \(and 1 more of 24 images/,
      'hint: fetch it',
    )
    expect(existsSync(out)).toBe(false)
  })

  test('fewer images than a batch', async () => {
    const error = /error: 10 training images do not fill one batch of 40/
    await fails([data, ...TINY, '--batch-size', '40', '--out', out], error, 'hint: lower the batch size')
    expect(existsSync(out)).toBe(false)
  })

  test('no engine', async () => {
    await fails([data, ...TINY, '--out', out], /error: TREX_ENGINE names \/no\/engine\.json/, '', {
      TREX_ENGINE: '/no/engine.json',
    })
    expect(existsSync(out)).toBe(false)
  })
})

describe('settings', () => {
  test.each([
    ['--recipe trx', /There is no recipe "trx" \(did you mean "trex"\?\)/, 'Recipes are trex,'],
    ['--set optimiser.lr=2', /optimiser: no such setting \(did you mean "optimizer"\?\), in --set/, 'hint:'],
    ['--set optimizer.lrr=2', /optimizer\.lrr: no such setting \(did you mean "optimizer\.lr"\?\)/, 'hint:'],
    ['--set lr', /Cannot read --set lr/, '--set optimizer.lr=0.2'],
    ['--encoder resnet81', /encoder = "resnet81": .*did you mean "resnet18"\?/, 'hint:'],
    [
      '--epochs abc --batch-size x --optimizer adam --clip-norm 0 --accumulate none',
      /5 problems:\n.*name = "adam": .*did you mean "adamw".*\n.*clipNorm = 0: .*\n.*epochs = "abc": .*\n.*batchSize = "x": .*\n.*accumulate = "none": expected number, from the flags\n/,
      'hint:',
    ],
    ['--epochs 1.5', /epochs = 1\.5: expected a whole number, from the flags/, 'hint:'],
    ['--batch-size 0', /batchSize = 0: expected number to be >=2, from the flags/, 'hint:'],
    ['--val-fraction 1', /validation\.fraction = 1: expected number to be <1, from the flags/, 'hint:'],
    ['--epochs 3 --warmup-epochs 4', /optimizer\.warmupEpochs = 4: is longer than the run/, 'hint:'],
    ['--config /no/such.yaml', /Cannot use settings file \/no\/such\.yaml/, 'hint: It is YAML'],
    [
      '--precision fp16 --device cpu',
      /precision is fp16, which CPUs do not compute/,
      'use --precision bf16 or fp32',
    ],
  ])('%s', async (flags, error, remedy) => {
    const out = at('unmade')
    await fails([data, ...TINY, ...flags.split(' '), '--out', out], error, remedy)
    expect(existsSync(out)).toBe(false)
  })

  test('--print-config prints settings that --config reads back', async () => {
    const first = await trex(['train', ...TINY, '--set', 'optimizer.lr=0.3', '--print-config'])
    expect(first).toMatchObject({ status: 0, stderr: '' })
    expect(parse(first.stdout)).toMatchObject({ recipe: 'supervised', imageSize: 16, optimizer: { lr: 0.3 } })
    writeFileSync(at('config.yaml'), first.stdout)
    expect((await trex(['train', '--config', at('config.yaml'), '--print-config'])).stdout).toBe(first.stdout)
  })

  test('every flag of training is a setting', async () => {
    const flags =
      '--optimizer adamw --lr 0.002 --clip-norm 3 --accumulate 2 --deterministic --save-every-steps 10 --save-every-minutes none --keep-every 5'
    const { stdout } = await trex(['train', ...TINY, ...flags.split(' '), '--print-config', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      optimizer: { name: 'adamw', lr: 0.002, clipNorm: 3 },
      accumulate: 2,
      deterministic: true,
      checkpoints: { everySteps: 10, everyMinutes: null, keepEvery: 5 },
    })
  })

  test('--print-schema prints the schema that the package has', async () => {
    const { stdout } = await trex(['train', '--print-schema'])
    const schema = new URL('../../settings.schema.json', import.meta.url)
    expect(stdout).toBe(readFileSync(schema, 'utf8'))
  })
})

describe('a run', () => {
  const run = at('run')
  const checkpoint = join(run, 'checkpoints/last.safetensors')
  const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

  test('is trained and says where it is', async () => {
    const { status, stderr } = await trex(['train', data, ...TINY, '--out', run])
    expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.stringContaining(`done: ${run}`) })
    expect(stderr).toContain('2 classes, 10 training and 2 validation images')
    expect(readdirSync(run).sort()).toEqual([
      'checkpoints',
      'config.yaml',
      'data.json',
      'env.json',
      expect.stringMatching(/^events\.out\.tfevents\./),
      'metrics.jsonl',
    ])
    expect(readdirSync(join(run, 'checkpoints')).sort()).toEqual(['best.safetensors', 'last.safetensors'])
  })

  test('is not overwritten, nor is another folder', async () => {
    const before = digest(checkpoint)
    await fails(
      [data, ...TINY, '--out', run],
      /error: .*run exists already/,
      `\`trex train --resume ${run}\``,
    )
    expect(digest(checkpoint)).toBe(before)
    await fails([data, ...TINY, '--out', data], /error: .*images exists already/, 'choose a folder for --out')
    expect(readdirSync(data)).toEqual(['class0', 'class1'])
  })

  test('shows a stack with --debug only', async () => {
    const { status, stderr } = await trex(['train', at('missing'), '--out', at('x'), '--debug'])
    expect(status).toBe(1)
    expect(stderr).toMatch(/error: cannot read .*\n.*\n.*TrexError: cannot read .*\n\s+at /)
    expect(stderr).toContain('ENOENT')
  })

  test('resumes with its own settings alone', async () => {
    await fails(
      ['--resume', run, '--epochs', '3'],
      /--resume takes no other settings, but --epochs/,
      'config.yaml',
    )
    await fails(['--resume', run, '--set', 'epochs=3'], /but --set was given/, 'start a new run')
  })

  test('resumes with the data it was started with alone', async () => {
    const changed = at('changed')
    cpSync(data, changed, { recursive: true })
    rmSync(join(changed, 'class0/3.png'))
    const error = /error: .*changed does not hold the images that .*run was started with/
    await fails(
      [changed, '--resume', run],
      error,
      'hint: it had 2 classes, 10 training and 2 validation images',
    )
    await fails([at('missing'), '--resume', run], /cannot read .*missing/, 'hint:')
  })

  test('that diverges keeps its last good checkpoint', async () => {
    const bad = at('diverged')
    const before = digest(checkpoint)
    cpSync(run, bad, { recursive: true })
    const config = readFileSync(join(bad, 'config.yaml'), 'utf8')
    writeFileSync(
      join(bad, 'config.yaml'),
      config.replace(/^epochs: 1$/m, 'epochs: 2').replace(/lr: 0.1$/m, 'lr: 1e38'),
    )
    await fails(
      ['--resume', bad],
      /error: the loss is (NaN|-?Infinity) at step \d \(epoch 1\)/,
      'lower optimizer.lr',
    )
    expect(digest(join(bad, 'checkpoints/last.safetensors'))).toBe(before)
  })

  test('is not resumed with a file renamed, nor while another process is at work, nor when the demo made it', async () => {
    const renamed = at('renamed')
    cpSync(data, renamed, { recursive: true })
    renameSync(join(renamed, 'class0/3.png'), join(renamed, 'class0/33.png'))
    await fails([renamed, '--resume', run], /does not hold the images/, 'other names of classes or files')
    const busy = at('busy')
    cpSync(run, busy, { recursive: true })
    writeFileSync(join(busy, 'lock'), `${hostname()} ${process.pid}\n`)
    await fails(['--resume', busy], /error: .*busy is in use by process \d+/, 'hint: wait for it or stop it')
    expect(existsSync(join(busy, 'lock'))).toBe(true)
    const made = readFileSync(join(busy, 'data.json'), 'utf8').replace('"train"', '"demo"')
    writeFileSync(join(busy, 'data.json'), made)
    await fails(['--resume', busy], /error: .*busy is a run of the demo/, 'hint: run the demo again')
  })

  test('records what auto stood for, and says on resume what has changed since', async () => {
    const auto = at('auto')
    const flags = [...TINY, '--precision', 'auto', '--device', 'auto', '--out', auto]
    expect((await trex(['train', data, ...flags])).status).toBe(0)
    const settings = parse(readFileSync(join(auto, 'config.yaml'), 'utf8'))
    expect(['fp32', 'bf16']).toContain(settings.precision)
    expect(['cpu', 'cuda']).toContain(settings.device)
    const { status, stderr } = await trex(['train', '--resume', auto], { env: { OMP_NUM_THREADS: '2' } })
    expect(status).toBe(0)
    expect(stderr).toContain('note: threads 1 -> 2 since the run was started: its last digits may differ')
  })

  test('is not resumed from what is no run, or damaged', async () => {
    await fails(
      ['--resume', data],
      /error: .*images is not a run: it has no config\.yaml/,
      'hint: give the folder',
    )
    await fails(['--resume', at('missing')], /error: .*missing is not a run/, 'hint: give the folder')
    const cases = [
      ['config.yaml', 'recipe: [', /config\.yaml is damaged/],
      ['config.yaml', 'recipe: trex\n', /config\.yaml is damaged: \w+/],
      ['data.json', '{', /data\.json is damaged/],
      ['data.json', '{}', /data\.json is damaged: madeBy/],
      ['env.json', '{', /env\.json is damaged/],
    ] as const
    for (const [name, text, error] of cases) {
      const damaged = at('damaged')
      rmSync(damaged, { recursive: true, force: true })
      cpSync(run, damaged, { recursive: true, filter: (path) => !path.endsWith('.safetensors') })
      writeFileSync(join(damaged, name), text)
      await fails(['--resume', damaged], error, 'hint: restore it')
    }
  })

  test('is not resumed from a damaged checkpoint, which stays as it is', async () => {
    const damaged = at('damagedCheckpoint')
    cpSync(run, damaged, { recursive: true })
    const path = join(damaged, 'checkpoints/last.safetensors')
    const bytes = readFileSync(path)
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(path, bytes)
    const remedy = 'hint: Restore it from a copy or start a new run'
    await fails(
      ['--resume', damaged],
      /error: Checkpoint .*last\.safetensors is damaged: its content/,
      remedy,
    )
    expect(digest(path)).toBe(createHash('sha256').update(bytes).digest('hex'))
    truncateSync(path, 1000)
    await fails(['--resume', damaged], /error: Checkpoint .*last\.safetensors is damaged/, remedy)
    expect(readdirSync(damaged)).toHaveLength(6)
  })

  test('without a checkpoint is resumed from the beginning, with one lost not', async () => {
    const cut = at('cut')
    cpSync(run, cut, { recursive: true })
    rmSync(join(cut, 'checkpoints/last.safetensors'))
    const { status, stderr } = await trex(['train', '--resume', cut])
    expect(status).toBe(0)
    expect(stderr).toContain('has no checkpoint yet: starting from the beginning')
    const rows = readFileSync(join(cut, 'metrics.jsonl'), 'utf8')
    expect(rows.split('\n')).toHaveLength(4)
    rmSync(join(cut, 'checkpoints/last.safetensors'))
    writeFileSync(join(cut, 'metrics.jsonl'), `${rows}${rows.replaceAll('"epoch":0', '"epoch":1')}`)
    await fails(['--resume', cut], /error: There is no checkpoint .*last\.safetensors/, 'hint:')
  })
})

describe('Ctrl-C', () => {
  /** Sends a signal once, when the program has said something. */
  const once = (signal: NodeJS.Signals, said: string) => {
    let sent = false
    return (text: string, kill: Kill) => {
      if (sent || !text.includes(said)) return
      sent = true
      kill(signal)
    }
  }

  test('says how to go on', async () => {
    const run = at('stopped')
    const flags = [...TINY, '--epochs', '200', '--out', run]
    const { status, stderr } = await trex(['train', data, ...flags], {
      onStderr: once('SIGINT', 'epoch 1 ·'),
    })
    expect(status).toBe(130)
    expect(stderr).toMatch(/\nstopped: `trex train --resume .*stopped` goes on from the last checkpoint\n$/)
    expect(readdirSync(join(run, 'checkpoints')).sort()).toEqual(['best.safetensors', 'last.safetensors'])
    expect(existsSync(join(run, 'lock'))).toBe(false)
  })

  test('before the first step keeps nothing', async () => {
    const run = at('early')
    const { status, stderr } = await trex(['train', data, ...TINY, '--out', run], {
      onStderr: once('SIGTERM', 'validation images'),
    })
    expect(status).toBe(143)
    expect(stderr).toMatch(/\nstopped before the first step: nothing is kept\n$/)
    expect(existsSync(run)).toBe(false)
  })
})
