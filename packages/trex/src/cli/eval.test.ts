import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { noGrad } from 'trex-torch'
import { openSafetensors, writeSafetensors } from 'trex-torch/safetensors'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeImages, TINY, trex } from '../../test/support/trex.js'
import { createLearner, disposeLearner } from '../train/learner.js'
import { restoreLearner, saveLearner } from '../train/learnerCheckpoint.js'
import { openRun } from '../train/run.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-eval-'))
const at = (name: string) => join(dir, name)
const [data, run] = [at('images'), at('run')]
const SPLIT = ['--val-fraction', '0.4']

beforeAll(async () => {
  await makeImages(data, { classes: 3, perClass: 8 })
  const { status, stderr } = await trex(['train', data, ...TINY, ...SPLIT, '--out', run])
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
}, 120_000)
afterAll(() => rmSync(dir, { recursive: true, force: true }))

async function evaluated(args: readonly string[]) {
  const { status, stdout, stderr } = await trex(['eval', ...args, '--json'])
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  return JSON.parse(stdout)
}

async function fails(args: readonly string[], error: string | RegExp, hint: string): Promise<void> {
  const { status, stdout, stderr } = await trex(['eval', ...args])
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toMatch(error)
  expect(stderr).toContain(`hint: ${hint}`)
  expect(stderr).not.toMatch(/^\s+at |may be a bug/m)
}

const lastRow = () => JSON.parse(readFileSync(join(run, 'metrics.jsonl'), 'utf8').trim().split('\n').at(-1)!)

describe('a run', () => {
  test('has the scores of its own last validation, to the last digit', async () => {
    const { top1, top5, valLoss } = lastRow()
    const { task, features, confusion, epoch } = await evaluated([run])
    expect(task).toMatchObject({ images: 9, top1, top5, loss: valLoss })
    expect(epoch).toBe(1)
    expect(confusion.classes).toEqual(['class0', 'class1', 'class2'])
    expect(confusion.matrix.map((row: number[]) => row.reduce((a, b) => a + b))).toEqual([3, 3, 3])
    const right = confusion.matrix.reduce((sum: number, row: number[], i: number) => sum + row[i]!, 0)
    expect((100 * right) / 9).toBe(top1)
    expect(task.meanPerClass).toBeCloseTo(top1, 10) // as many images of each class
    expect(features).toMatchObject({ gallery: 15, queries: 9 })
    expect(features.knn.map(({ k, voters }: { k: number; voters: number }) => [k, voters])).toEqual([
      [1, 1],
      [5, 5],
      [20, 15],
    ])
  })

  test('is evaluated on the training part, on all, with and without features', async () => {
    const [train, all, plain] = [
      await evaluated([run, '--split', 'train', '--no-features']),
      await evaluated([run, '--split', 'all']),
      await evaluated([run, '--no-features']),
    ]
    expect([train.task.images, all.task.images, plain.task.images]).toEqual([15, 24, 9])
    const sum = (a: number[][], b: number[][]) => a.map((row, i) => row.map((value, j) => value + b[i]![j]!))
    expect(all.confusion.matrix).toEqual(sum(train.confusion.matrix, plain.confusion.matrix))
    const mean = (15 * train.task.loss + 9 * plain.task.loss) / 24
    expect(all.task.loss).toBeCloseTo(mean, 12)
    expect([train.features, plain.features]).toEqual([null, null])
    const only = await evaluated([run, '--features-only'])
    expect(only.task).toBe(null)
    expect(only.features).toEqual(all.features)
  })

  test('prints a table and writes files that a person and a program can read', async () => {
    const out = at('out')
    const { status, stdout, stderr } = await trex(['eval', run, '--out', out])
    expect(status).toBe(0)
    expect(stderr).toContain(`wrote ${join(out, 'eval.json')}`)
    const row = lastRow()
    expect(stdout).toMatch(new RegExp(`^top-1 +${row.top1.toFixed(2)} %$`, 'm'))
    expect(stdout).toMatch(new RegExp(`^loss +${row.valLoss.toFixed(4)}$`, 'm'))
    expect(stdout).toMatch(/^k-NN, k = 20 +[\d.]+ %$/m)
    expect(stdout).toContain('note: k-NN with k = 20: all 15 training images vote')
    expect(stdout.match(/^ {2}class\d +[\d.]+ % +\d of 3$/gm)).toHaveLength(3)
    expect(readdirSync(out).sort()).toEqual(['confusion.csv', 'confusion.html', 'eval.json', 'per-class.csv'])
    const { confusion, task } = JSON.parse(readFileSync(join(out, 'eval.json'), 'utf8'))
    const [head, ...rows] = parse(readFileSync(join(out, 'confusion.csv'))) as string[][]
    expect(head).toEqual(['class', ...confusion.classes])
    expect(rows.map(([, ...counts]) => counts.map(Number))).toEqual(confusion.matrix)
    const classes = parse(readFileSync(join(out, 'per-class.csv')), { columns: true }) as object[]
    expect(classes).toHaveLength(3)
    expect(classes[0]).toMatchObject({ class: 'class0', images: '3', correct: `${task.perClass[0].correct}` })
  })

  test('takes other data, whose classes are matched by name', async () => {
    const other = at('other')
    cpSync(data, other, { recursive: true })
    rmSync(join(other, 'class1'), { recursive: true })
    const whole = await evaluated([run, '--split', 'all', '--no-features'])
    const part = await evaluated([run, other, '--split', 'all', '--no-features'])
    const [first, , third] = whole.confusion.matrix
    expect(part.confusion.matrix).toEqual([first, [0, 0, 0], third])
    expect(part.task.perClass[1]).toEqual({
      name: 'class1',
      images: 0,
      correct: 0,
      wrongly: first[1] + third[1],
      accuracy: null,
    })
    renameSync(join(other, 'class0'), join(other, 'zebra'))
    await fails(
      [run, other],
      /error: zebra: a class that the run was not trained on/,
      'its 3 classes are class0, class1, class2',
    )
    const only = await evaluated([run, other, '--features-only'])
    expect(only.task).toBe(null)
    expect(only.features.knn).toHaveLength(3)
  })

  test('leaves out bad images if told to', async () => {
    const bad = at('bad')
    cpSync(data, bad, { recursive: true })
    writeFileSync(join(bad, 'class0/0.png'), 'not a picture')
    await fails([run, bad, '--split', 'all'], /error: .*class0\/0\.png is not an image/, 'fetch it')
    const { status, stdout, stderr } = await trex([
      'eval',
      run,
      bad,
      '--split',
      'all',
      '--on-bad',
      'skip',
      '--json',
    ])
    expect(status).toBe(0)
    expect(stderr).toMatch(/left out: .*class0\/0\.png/)
    const { task, leftOut, features } = JSON.parse(stdout)
    expect([task.images, leftOut.length, features.gallery + features.queries]).toEqual([23, 1, 23])
  })

  test('prefers its best checkpoint, and takes another by name or path', async () => {
    const copy = at('copy')
    cpSync(run, copy, { recursive: true })
    const [best, last] = ['best', 'last'].map((name) => join(copy, `checkpoints/${name}.safetensors`))
    cpSync(last!, best!)
    const flags = ['--no-features']
    expect((await evaluated([copy, ...flags])).weights).toBe(best)
    expect((await evaluated([copy, ...flags, '--checkpoint', 'last'])).weights).toBe(last)
    expect((await evaluated([run, ...flags, '--checkpoint', best!])).weights).toBe(best)
    await fails([copy, '--checkpoint', 'epoch-9'], /has no checkpoint epoch-9/, 'it has best, last')
  })
})

describe('weights', () => {
  const flags = ['--encoder', 'resnet18', '--image-size', '16', '--set', 'stem=imagenet', ...SPLIT]
  const options = [...flags, '--batch-size', '4', '--precision', 'fp32', '--device', 'cpu']

  /** The run's encoder as a file of its own, under names with this prefix. */
  function weightsWith(prefix: string): string {
    using file = openSafetensors(join(run, 'checkpoints/last.safetensors'))
    const own = [...file.entries.keys()].filter((name) => name.startsWith('model.encoder.'))
    const tensors = own.map((name) => ({
      ...file.read(name),
      name: name.replace('model.encoder.', prefix),
    }))
    const head = { name: `${prefix}fc.weight`, dtype: 'F32', shape: [2], data: new Uint8Array(8) } as const
    const path = at(`weights.${prefix}safetensors`)
    writeSafetensors(path, [...tensors, head])
    return path
  }

  test.each(['', 'encoder.', 'model.encoder.'])(
    'named "%s..." have the features of their run',
    async (prefix) => {
      const { features } = await evaluated([run, '--features-only', '--checkpoint', 'last'])
      const result = await evaluated([weightsWith(prefix), data, ...options])
      expect(result).toMatchObject({ task: null, epoch: null, features })
    },
  )

  test('can be those in a checkpoint', async () => {
    const path = join(run, 'checkpoints/last.safetensors')
    expect((await evaluated([path, data, ...options])).features.queries).toBe(9)
  })

  test('of another encoder, or none, are an error', async () => {
    const path = weightsWith('')
    await fails(
      [path, data, '--encoder', 'resnet50'],
      /does not fit the encoder:/,
      'name the encoder it is of with --encoder',
    )
    await fails([path, ...options], /eval needs DATA/, 'trex eval WEIGHTS DATA')
    await fails(
      [path, data, ...options, '--no-features'],
      /leaves nothing to evaluate of weights/,
      'leave it out',
    )
    await fails([path, data, ...options, '--checkpoint', 'last'], /--checkpoint is for runs/, 'leave it out')
    writeFileSync(at('text.safetensors'), 'no weights')
    await fails(
      [at('text.safetensors'), data, ...options],
      /text\.safetensors: is no file of weights that is known/,
      'Give weights as .safetensors',
    )
  })
})

describe('what cannot be evaluated is an error', () => {
  test.each<[string, () => string[], RegExp, string]>([
    ['no run', () => [at('none')], /there is no run or file .*none/, 'give the folder that'],
    ['another folder', () => [data], /images is not a run: it has no config\.yaml/, 'give the folder'],
    ['missing data', () => [run, at('none')], /cannot read .*none: there is no such folder/, 'DATA is'],
    ['a flag of weights', () => [run, '--encoder', 'resnet50'], /--encoder is for weights/, 'leave it out'],
    ['another model', () => [run, '--set', 'stem=small'], /--set changes stem, with which/, 'leave it out'],
    [
      'another ViT',
      () => [run, '--set', 'vit.pooling=mean'],
      /--set changes vit, with which/,
      'leave it out',
    ],
    ['nothing', () => [run, '--features-only', '--no-features'], /leave nothing to evaluate/, 'give one'],
    [
      'no validation part',
      () => [run, '--val-fraction', '0'],
      /the data have no validation images/,
      'use --split',
    ],
    [
      'wrong values',
      () => [run, '--batch-size', 'x', '--workers', 'y'],
      /batchSize = "x".*\n.*workers = "y"/,
      'Settings',
    ],
    [
      'an --out that is a file',
      () => [run, at('none'), '--no-features', '--out', join(run, 'env.json')], // found before the data are
      /env\.json cannot be written/,
      'choose another folder',
    ],
  ])('%s', async (_, args, error, hint) => fails(args(), error, hint))

  test("the size of a ViT's global crops, which its position embedding is of", async () => {
    const vit = at('vit')
    cpSync(run, vit, { recursive: true })
    const settings = readFileSync(join(vit, 'config.yaml'), 'utf8')
    writeFileSync(join(vit, 'config.yaml'), settings.replace('encoder: resnet18', 'encoder: vit_tiny'))
    await fails(
      [vit, '--set', 'globalCrops.size=32'],
      /--set changes globalCrops\.size, with/,
      'leave it out',
    )
  })

  test('weights that give no finite loss', async () => {
    const broken = at('broken')
    cpSync(run, broken, { recursive: true })
    const { settings, data } = openRun(broken)
    const learner = createLearner(settings, data.classes.length, { device: 'cpu', dtype: null })
    const path = join(broken, 'checkpoints/last.safetensors')
    const position = restoreLearner(path, learner)
    noGrad(() => learner.model.encoder.parameters()[0]!.fill_(Number.NaN))
    saveLearner(path, learner, position)
    disposeLearner(learner)
    await fails(
      [broken, '--no-features', '--checkpoint', 'last'],
      /the loss is NaN in the batch of .*class0/,
      'the weights or',
    )
  })

  test('images that are gone, and weights that are damaged', async () => {
    const moved = at('moved')
    cpSync(run, moved, { recursive: true })
    const text = readFileSync(join(moved, 'data.json'), 'utf8').replace(data, at('gone'))
    writeFileSync(join(moved, 'data.json'), text)
    await fails(
      [moved],
      /the data of .*moved cannot be opened: cannot read .*gone/,
      `give the images: trex eval ${moved} DATA`,
    )
    const path = join(moved, 'checkpoints/last.safetensors')
    const bytes = readFileSync(path)
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(path, bytes)
    await fails([moved, data, '--checkpoint', 'last'], /last\.safetensors is damaged/, 'Restore it')
    rmSync(path)
    rmSync(join(moved, 'checkpoints/best.safetensors'))
    await fails([moved, data], /has no checkpoint last/, 'it has none yet')
    expect(existsSync(join(moved, 'config.yaml'))).toBe(true)
  })
})
