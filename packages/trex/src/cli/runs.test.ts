import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeImages, TINY, trex } from '../../test/support/trex.js'
import { findRuns } from './runsFind.js'
import { digestMetrics } from './runsMetrics.js'
import { summarizeRun } from './runsSummary.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-runs-'))
const runs = join(dir, 'runs')
const finished = join(runs, 'nested', 'run-9')
beforeAll(async () => {
  await makeImages(join(dir, 'photos'), { perClass: 12 })
  const { status, stderr } = await trex([
    'train',
    join(dir, 'photos'),
    ...TINY,
    '--epochs',
    '2',
    '--out',
    finished,
  ])
  expect(status, stderr).toBe(0)
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const rowsOf = (run: string) =>
  readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

/** A copy of the finished run, somehow changed, and what is said of it. */
function changed(change: (run: string) => void) {
  const run = join(dir, 'changed')
  rmSync(run, { recursive: true, force: true })
  cpSync(finished, run, { recursive: true })
  change(run)
  const listing = () => readdirSync(run, { recursive: true }).sort()
  const before = listing()
  const { state, detail, ...others } = summarizeRun('changed', run)
  expect(listing()).toEqual(before) // nothing was locked, written or removed
  return { state, detail, ...others }
}
const keepRows = (run: string, count: number) =>
  writeFileSync(
    join(run, 'metrics.jsonl'),
    rowsOf(run)
      .slice(0, count)
      .map((row) => `${JSON.stringify(row)}\n`)
      .join(''),
  )

describe('a run', () => {
  test('that is finished', () => {
    const rows = rowsOf(finished)
    const top1 = rows.filter(({ kind }) => kind === 'epoch').map((row) => row.top1)
    expect(top1).toHaveLength(2)
    const best = Math.max(...top1)
    expect(summarizeRun('x', finished)).toEqual({
      ...{
        name: 'x',
        path: finished,
        state: 'finished',
        detail: '',
        recipe: 'supervised',
        encoder: 'resnet18',
      },
      ...{ epochs: { done: 2, total: 2 }, best: { top1: best, epoch: top1.indexOf(best) + 1 }, top1 },
      ...{ loss: rows.at(-1).loss, ageSeconds: expect.any(Number) },
    })
  })

  test.each<[string, (run: string) => void, { state: string; detail: unknown }]>([
    [
      'that another process trains',
      (run) => writeFileSync(join(run, 'lock'), `${hostname()} ${process.ppid}\n`),
      { state: 'training', detail: `process ${process.ppid} on ${hostname()}` },
    ],
    [
      'that was stopped before its first checkpoint',
      (run) => {
        keepRows(run, 2)
        rmSync(join(run, 'checkpoints', 'last.safetensors'))
      },
      { state: 'stopped', detail: 'resumes from the beginning' },
    ],
    [
      'that was stopped later, its process dead',
      (run) => {
        keepRows(run, rowsOf(run).findIndex(({ kind }) => kind === 'epoch') + 1)
        writeFileSync(join(run, 'lock'), `${hostname()} 99999999\n`)
      },
      { state: 'stopped', detail: 'resumes at epoch 3' },
    ],
    [
      'that failed',
      (run) => writeFileSync(join(run, 'failure.json'), JSON.stringify({ step: 7, loss: 'NaN', epoch: 1 })),
      { state: 'failed', detail: 'the loss was NaN at step 7' },
    ],
    [
      'whose weights failed',
      (run) =>
        writeFileSync(join(run, 'failure.json'), JSON.stringify({ what: 'weights', step: 7, loss: '2.5' })),
      { state: 'failed', detail: 'the weights were not finite after step 7' },
    ],
    [
      'whose failure is not readable',
      (run) => writeFileSync(join(run, 'failure.json'), '{'),
      { state: 'failed', detail: 'failure.json says why' },
    ],
    [
      'without config.yaml',
      (run) => rmSync(join(run, 'config.yaml')),
      { state: 'damaged', detail: 'it has no config.yaml' },
    ],
    [
      'of other settings',
      (run) => writeFileSync(join(run, 'config.yaml'), 'epochs: x\n'),
      { state: 'damaged', detail: expect.stringMatching(/^config\.yaml is damaged: /) },
    ],
    [
      'without metrics',
      (run) => rmSync(join(run, 'metrics.jsonl')),
      { state: 'damaged', detail: 'it has no metrics.jsonl' },
    ],
    [
      'with a row that is no JSON',
      (run) => writeFileSync(join(run, 'metrics.jsonl'), '{"kind":"epoch",oops}\n'),
      { state: 'damaged', detail: expect.stringMatching(/^metrics\.jsonl: .*JSON/) },
    ],
    [
      'that lost its checkpoint',
      (run) => rmSync(join(run, 'checkpoints', 'last.safetensors')),
      { state: 'damaged', detail: 'checkpoints/last.safetensors is lost' },
    ],
    [
      'whose checkpoint is cut short',
      (run) => truncateSync(join(run, 'checkpoints', 'last.safetensors'), 50_000),
      { state: 'damaged', detail: expect.stringMatching(/^checkpoints\/last\.safetensors.*out of bounds/) },
    ],
    [
      'whose checkpoint is something else',
      (run) =>
        writeFileSync(join(run, 'checkpoints', 'last.safetensors'), Buffer.from('\x02\0\0\0\0\0\0\0{}')),
      { state: 'damaged', detail: 'checkpoints/last.safetensors: is not of a run' },
    ],
  ])('%s', (_, change, expected) => expect(changed(change)).toMatchObject(expected))

  test('says how old its last row is, which may be cut short', () => {
    const old = changed((run) => {
      const path = join(run, 'metrics.jsonl')
      writeFileSync(path, '{"kind":"epo', { flag: 'a' })
      utimesSync(path, new Date(), new Date(Date.now() - 90_000))
    })
    expect(old).toMatchObject({ state: 'finished', loss: rowsOf(finished).at(-1).loss })
    expect(old.ageSeconds).toBeGreaterThanOrEqual(90)
    expect(old.ageSeconds).toBeLessThan(120)
  })
})

describe('runs are found', () => {
  const tree = join(dir, 'tree')
  const make = (name: string) => mkdirSync(join(tree, name, 'checkpoints'), { recursive: true })
  beforeAll(() => {
    for (const name of ['run-10', 'run-9', 'a/b/deep', 'a/b/c/too-deep', '.hidden/x', 'run-9/inner']) {
      make(name)
      writeFileSync(join(tree, name, 'config.yaml'), '')
    }
    mkdirSync(join(tree, 'photos'))
    symlinkSync('run-9', join(tree, 'a-link'))
    symlinkSync('..', join(tree, 'a', 'loop'))
    symlinkSync('nowhere', join(tree, 'gone'))
    symlinkSync(runs, join(tree, 'others'))
  })

  test('three levels deep, by name, each once, links followed into no cycle', () => {
    const names = findRuns(tree).map(({ name }) => name)
    expect(names).toEqual(['a/b/deep', 'others/nested/run-9', 'run-9', 'run-10'])
    expect(findRuns(join(tree, 'run-9')).map(({ name }) => name)).toEqual(['.'])
    expect(findRuns(join(tree, 'photos'))).toEqual([])
  })
})

test('long metrics are read as whole ones are: rows across chunks, the last loss', () => {
  const path = join(dir, 'long.jsonl')
  const rows: Record<string, unknown>[] = []
  for (let step = 0; step < 90_000; step++) {
    rows.push({
      kind: 'step',
      epoch: Math.floor(step / 100),
      step,
      loss: step / 7,
      note: 'x'.repeat(step % 50),
    })
    if (step % 100 === 99) rows.push({ kind: 'epoch', epoch: Math.floor(step / 100), top1: step / 1000 })
  }
  for (let i = 0; i < 30; i++) rows.push({ kind: 'spectrum', singularValues: new Array(1000).fill(0.123) })
  const text = rows.map((row) => JSON.stringify(row)).join('\n')
  expect(text.length).toBeGreaterThan(8 << 20)
  writeFileSync(path, `${text}\n{"kind":"epoch","ep`)
  const { epochs, loss } = digestMetrics(path)
  const expected = rows.filter(({ kind }) => kind === 'epoch').map(({ epoch, top1 }) => ({ epoch, top1 }))
  expect(epochs).toEqual(expected)
  expect(loss).toBe(89_999 / 7)
  writeFileSync(path, '')
  expect(digestMetrics(path)).toEqual({ epochs: [], loss: null, writtenAt: null })
})

describe('trex runs', () => {
  test('lists runs as a table, a damaged one with its reason', async () => {
    const broken = join(runs, 'broken')
    cpSync(finished, broken, { recursive: true })
    rmSync(join(broken, 'data.json'))
    const { status, stdout, stderr } = await trex(['runs', runs], { env: { TREX_ENGINE: '/no/engine.json' } })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const [title, first, second, ...rest] = stdout.trimEnd().split('\n')
    expect(title).toMatch(
      /^run +state +recipe +encoder +epochs +best top-1 +in epoch +top-1 curve +loss +last row$/,
    )
    expect(first).toMatch(/^broken +damaged .* it has no data\.json$/)
    expect(second).toMatch(
      /^nested\/run-9 +finished +supervised +resnet18 +2\/2 +\d+\.\d % +[12] +[▁-█]{2} +\d+\.\d{3} +\d+ (s|min)$/,
    )
    expect(rest).toEqual([])
  })

  test('is JSON for programs, the best first if asked', async () => {
    const better = join(runs, 'zz')
    cpSync(finished, better, { recursive: true })
    // More than any run can reach, so that no other one is as good.
    writeFileSync(join(better, 'metrics.jsonl'), '{"kind":"epoch","epoch":0,"step":1,"loss":1,"top1":101}\n')
    const { stdout } = await trex(['runs', runs, '--sort', 'best', '--json'])
    const listed = JSON.parse(stdout) as { name: string; best: unknown }[]
    expect(listed[0]).toMatchObject({
      name: 'zz',
      best: { top1: 101, epoch: 1 },
      epochs: { done: 1, total: 2 },
    })
    expect(listed.map(({ name }) => name).sort()).toEqual(['broken', 'nested/run-9', 'zz'])
  })

  test('of a folder without runs, and of none', async () => {
    const photos = join(dir, 'photos')
    expect(await trex(['runs', photos])).toEqual({
      status: 0,
      stdout: '',
      stderr: `there are no runs in ${photos}\n`,
    })
    expect((await trex(['runs', photos, '--json'])).stdout).toBe('[]\n')
    const gone = await trex(['runs', join(dir, 'gone')])
    expect(gone.status).toBe(1)
    expect(gone.stderr).toMatch(
      /^error: cannot read .*gone: ENOENT.*\nhint: give a folder that holds runs: trex runs DIR/,
    )
  })
})
