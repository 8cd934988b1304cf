import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSafetensors } from 'trex-torch/safetensors'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { main, makeImages, TINY, trex } from '../../test/support/trex.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-stop-'))
const data = join(dir, 'images')
const whole = join(dir, 'whole')
const flags = [
  ...TINY,
  ...['--recipe', 'trex', '--epochs', '3', '--set', 'localCrops.count=1', '--set', 'projector.hidden=16'],
  ...[
    '--set',
    'projector.bottleneck=8',
    '--set',
    'onlineClassMeans.size=32',
    '--set',
    'watch.tensorboard=false',
  ],
]

beforeAll(async () => {
  await makeImages(data, { perClass: 12 })
  expect((await trex(['train', data, ...flags, '--out', whole])).status).toBe(0)
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** SHA-256 of every tensor of a checkpoint, and its state without what depends on the clock. */
function contents(run: string): unknown {
  using file = openSafetensors(join(run, 'checkpoints/last.safetensors'))
  const { position, ...state } = JSON.parse(file.metadata.state!)
  const names = [...file.entries.keys()].filter((name) => !name.includes('sha256'))
  const hash = (name: string) => createHash('sha256').update(file.read(name).data).digest('hex')
  return { ...state, ...position, metricsBytes: 0, tensors: names.map((name) => [name, hash(name)]) }
}

/** The rows of metrics.jsonl without times. */
const rowsOf = (run: string) =>
  readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const { imagesPerSecond, dataWait, seconds, ...row } = JSON.parse(line)
      return row
    })

/** Trains into a new run and sends signals once it stands after so many rows, each some milliseconds later. */
async function stopped(
  name: string,
  rows: number,
  signals: readonly (NodeJS.Signals | { signal: NodeJS.Signals; after: number })[],
  more: readonly string[] = [],
) {
  const run = join(dir, name)
  const metrics = join(run, 'metrics.jsonl')
  let watch: NodeJS.Timeout | undefined
  const outcome = await trex(['train', data, ...flags, ...more, '--out', run], {
    onStderr(_, kill) {
      watch ??= setInterval(() => {
        if (!existsSync(metrics) || readFileSync(metrics, 'utf8').split('\n').length <= rows) return
        clearInterval(watch)
        for (const one of signals)
          typeof one === 'string' ? kill(one) : setTimeout(() => kill(one.signal), one.after)
      }, 2)
    },
  })
  clearInterval(watch)
  return { run, ...outcome }
}

describe('a signal in mid-epoch', () => {
  test.each([
    ['SIGTERM', 75],
    ['SIGUSR1', 75],
    ['SIGHUP', 75],
    ['SIGINT', 130],
  ] as const)('%s saves, exits with %i, and the run goes on to the same bits', async (signal, code) => {
    const { run, status, stderr } = await stopped(signal, 7, [signal])
    expect({ status, stderr }).toMatchObject({
      status: code,
      stderr: expect.stringMatching(
        /stopping after this step[^\n]*\nstopped: .*goes on from the last checkpoint\n$/,
      ),
    })
    const rows = rowsOf(run)
    expect(rows.length).toBeLessThan(rowsOf(whole).length)
    expect(existsSync(join(run, 'lock'))).toBe(false)

    const resumed = await trex(['train', '--resume', run])
    expect(resumed.status).toBe(0)
    expect(contents(run)).toEqual(contents(whole))
    expect(rowsOf(run)).toEqual(rowsOf(whole))
  })

  test('saves as well when nobody reads what it says any more', async () => {
    const run = join(dir, 'unread')
    const metrics = join(run, 'metrics.jsonl')
    const child = spawn(process.execPath, [main, 'train', data, ...flags, '--out', run], {
      env: { ...process.env, OMP_NUM_THREADS: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    child.stderr.destroy()
    const watch = setInterval(() => {
      if (!existsSync(metrics) || readFileSync(metrics, 'utf8').split('\n').length <= 7) return
      clearInterval(watch)
      child.kill('SIGINT')
    }, 2)
    expect(await once(child, 'exit')).toEqual([130, null])
    expect(existsSync(join(run, 'checkpoints/last.safetensors'))).toBe(true)
    expect((await trex(['train', '--resume', run])).status).toBe(0)
    expect(contents(run)).toEqual(contents(whole))
  })

  test('with a vision transformer, AdamW, stochastic depth, clipping, parts of batches and rare looks', async () => {
    const transformer = [
      ...['--encoder', 'vit_tiny', '--accumulate', '2', '--precision', 'bf16', '--set', 'logEvery=3'],
      ...['--set', 'vit.dropPath=0.3', '--set', 'watch.driftEvery=3'],
    ]
    const uninterrupted = join(dir, 'wholeViT')
    expect((await trex(['train', data, ...flags, ...transformer, '--out', uninterrupted])).status).toBe(0)
    const { run, status } = await stopped('vit', 7, ['SIGTERM'], transformer)
    expect(status).toBe(75)
    expect((await trex(['train', '--resume', run])).status).toBe(0)
    expect(contents(run)).toEqual(contents(uninterrupted))
    expect(rowsOf(run)).toEqual(rowsOf(uninterrupted))
  })

  test('a second one stops at once, without saving', async () => {
    // Both in one turn of the event loop, so that no step ends between them; SIGINT is delivered first.
    const signals = [
      { signal: 'SIGINT', after: 150 },
      { signal: 'SIGTERM', after: 150 },
    ] as const
    const long = ['--image-size', '160', '--batch-size', '8']
    const { run, status, stderr } = await stopped('twice', 1, signals, long)
    expect(status).toBe(143)
    expect(stderr).toMatch(/goes on from the beginning, as there is no checkpoint yet\n$/)
    expect(readdirSync(join(run, 'checkpoints'))).toEqual([])

    // Resumed, and stopped before the first step: only who has created a run may remove it.
    let sent = false
    const resumed = await trex(['train', '--resume', run], {
      onStderr(text, kill) {
        if (!sent && text.includes('validation images')) kill('SIGTERM')
        sent ||= text.includes('validation images')
      },
    })
    expect(resumed.status).toBe(75)
    expect(resumed.stderr).toMatch(/\nstopped: `trex train --resume .*twice` goes on from the /)
    expect(existsSync(join(run, 'config.yaml'))).toBe(true)
  })
})

describe('checkpoints', () => {
  test('of every so many steps and of the last epochs are kept', async () => {
    const run = join(dir, 'kept')
    const saving = ['checkpoints.everySteps=2', 'checkpoints.keepEvery=1', 'checkpoints.keep=2']
    const { status } = await trex([
      'train',
      data,
      ...flags,
      ...saving.flatMap((s) => ['--set', s]),
      '--out',
      run,
    ])
    expect(status).toBe(0)
    expect(readdirSync(join(run, 'checkpoints')).sort()).toEqual([
      'best.safetensors',
      'epoch-0002.safetensors',
      'epoch-0003.safetensors',
      'last.safetensors',
    ])
    expect(contents(run)).toEqual(contents(whole))
    const bytes = (name: string) => readFileSync(join(run, 'checkpoints', name))
    expect(bytes('epoch-0003.safetensors').equals(bytes('last.safetensors'))).toBe(true)
  })
})

describe('a loss that is not a number', () => {
  test('keeps the step, and trex replay shows where it goes wrong', async () => {
    const run = join(dir, 'diverged')
    const args = ['train', data, ...flags, '--init-from', whole, '--set', 'optimizer.lr=1e37']
    const { status, stderr } = await trex([...args, '--out', run])
    expect(status).toBe(1)
    const step = Number(
      /error: the loss is NaN at step (\d+) \(epoch 0\)\nhint: `trex replay/.exec(stderr)?.[1],
    )
    expect(step).toBeGreaterThan(0)
    const failure = JSON.parse(readFileSync(join(run, 'failure.json'), 'utf8'))
    expect(failure).toMatchObject({ epoch: 0, step, batch: step, loss: 'NaN' })
    expect(failure.images).toHaveLength(4)

    const shown = await trex(['replay', run])
    expect(shown.status).toBe(0)
    expect(shown.stdout).toContain('loss: NaN, as before')
    expect(shown.stdout).toMatch(/the 4 images are the same, bit for bit/)
    expect(shown.stdout).toMatch(/not finite/)
    const again = JSON.parse((await trex(['replay', run, '--json'])).stdout)
    expect(again.before.map(({ loss }: { loss: number }) => loss)).toEqual(rowsOf(run).map((row) => row.loss))
    const { stdout } = await trex(['replay', run, '--json', '--precision', 'bf16'])
    expect(JSON.parse(stdout)).toMatchObject({ sameImages: true, failure: { step } })
  })

  test('and weights that are not finite are found before they are saved', async () => {
    const run = join(dir, 'badWeights')
    const args = ['--set', 'optimizer.lr=1e39', '--set', 'checkpoints.everySteps=1', '--out', run]
    const { status, stderr } = await trex(['train', data, ...flags, ...args])
    expect(status).toBe(1)
    expect(stderr).toMatch(/error: the weights are not finite after step 0 \(epoch 0\)\nhint: `trex replay/)
    expect(readdirSync(join(run, 'checkpoints'))).toEqual([])
    const shown = await trex(['replay', run])
    expect(shown.stdout).toMatch(/\n {2}first output that is not finite: none\n {2}not finite after it: \w/)
  })

  test('is not there to replay in a healthy run', async () => {
    const { status, stderr } = await trex(['replay', whole])
    expect(status).toBe(1)
    expect(stderr).toMatch(/error: .*whole has no failed step to replay\nhint: /)
  })
})
