import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { engineInfo, Generator } from 'trex-torch'
import type { Sample } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import { createEncoder, type Encoder } from '../method/encoder.js'
import type { Precision } from '../method/precision.js'
import { type DemoReport, type ReportModel, writeReport } from '../report/report.js'
import type { ResultTable } from '../report/table.js'
import { disposeLearner, type Learner } from '../train/learner.js'
import { readMetrics } from '../train/metrics.js'
import { resolveAuto, resolvePrecision } from '../train/precision.js'
import { createRun, describeData, openRun, type Run } from '../train/run.js'
import { lockRun } from '../train/runLock.js'
import { type TrainEvent, train } from '../train/train.js'
import { extractFeatures, type FeatureSet } from '../transfer/features.js'
import { type ProbeResult, probe } from '../transfer/probe.js'
import { meanLogOdds } from '../transfer/scores.js'
import { fedCrops, neighbours } from './pictures.js'
import { type DemoModel, demoModels } from './recipes.js'
import type { DemoSets } from './sets.js'

/** Strengths of regularisation a probe tries. */
const PROBE_TRIALS = 8

/** What the demo needs from its surroundings: where to write, and how to show what goes on. */
export interface DemoOptions {
  out: string
  epochs?: number | undefined
  seed?: number | undefined
  follow(events: AsyncGenerator<TrainEvent, Learner>, label: string): Promise<Learner>
  say(line: string): void
}

/** What the demo leaves behind. */
export interface DemoResult {
  table: ResultTable
  labels: Record<string, string>
  report: string
}

interface Evaluated {
  name: string
  top1: number | null
  probes: ProbeResult[]
  neighbours: DemoReport['neighbours']
}

/**
 * Trains t-ReX and its plain-supervised counterpart on the same images, probes both and an untrained encoder on sets
 * they never saw, and writes `report.html`.
 */
export async function demo(sets: DemoSets, options: DemoOptions): Promise<DemoResult> {
  const { out, say } = options
  requireImages(sets)
  const models = demoModels(sets.data.train.length, options)
  const trained: ReportModel[] = []
  const evaluated: Evaluated[] = []
  for (const model of models) {
    say(`training ${model.label}: ${model.settings.encoder}, ${model.settings.epochs} epochs`)
    const run = newRun(join(out, model.name), model, sets)
    const learner = await options.follow(train(run, sets.data), model.label)
    const described = describe(model, run)
    trained.push(described)
    say(`probing ${model.label}`)
    evaluated.push({
      ...(await evaluate(model.name, learner.model.encoder, learner.precision, model, sets)),
      top1: described.validation.at(-1)?.top1 ?? null,
    })
    disposeLearner(learner)
  }
  say('probing an untrained encoder')
  evaluated.push(await evaluateUntrained(models[0]!, sets))
  const table = resultTable(sets, evaluated)
  const report = join(out, 'report.html')
  const precision = resolvePrecision(models[0]!.settings)
  await writeReport(report, {
    title: sets.title,
    subtitle: sets.subtitle,
    date: new Date().toISOString().slice(0, 10),
    engine: engineLine(precision),
    models: trained,
    table,
    crops: await fedCrops(sets, models[0]!.settings),
    neighbours: evaluated.flatMap((model) => model.neighbours),
    licences: sets.licences,
  })
  return { table, labels: Object.fromEntries(models.map(({ name, label }) => [name, label])), report }
}

/** @throws TrexError when a set is too small to train, tune or score on: before anything is trained. */
function requireImages({ data, transfer }: DemoSets): void {
  const hint = 'give each class at least 5 images'
  if (data.val.length === 0) throw new TrexError('no images are left to validate on', { hint })
  for (const { name, train, test } of transfer) {
    const twice = new Set(train.map(({ label }) => label)).size < train.length
    if (!twice || test.length === 0)
      throw new TrexError(`${name} has too few images for a linear probe`, { hint })
  }
}

function newRun(dir: string, { settings }: DemoModel, { root, data }: DemoSets): Run {
  // An earlier demo's run makes room; any other folder stays, and createRun says that it is in the way.
  if (existsSync(join(dir, 'data.json')) && openRun(dir).data.madeBy === 'demo') {
    lockRun(dir)[Symbol.dispose]() // an error when another process is at work on it
    rmSync(dir, { recursive: true })
  }
  return createRun(dir, { ...settings, ...resolveAuto(settings) }, describeData('demo', root, data))
}

async function evaluate(
  name: string,
  encoder: Encoder,
  precision: Precision,
  { settings }: DemoModel,
  sets: DemoSets,
): Promise<Evaluated> {
  const { resize, crop } = settings.validation
  const transform = { resize, crop, filter: 'bicubic' } as const
  const features = (samples: readonly Sample[]) =>
    extractFeatures(encoder, samples, {
      transform,
      batchSize: 64,
      workers: 0,
      precision,
      channelsLast: settings.channelsLast,
    })
  const probes: ProbeResult[] = []
  for (const set of sets.transfer) {
    const [trainSet, testSet] = [await features(set.train), await features(set.test)]
    probes.push(probe(trainSet, testSet, { seed: settings.seed, trials: PROBE_TRIALS }))
  }
  const gallery: FeatureSet = await features(sets.data.train)
  const queries: FeatureSet = await features(sets.data.val)
  return { name, top1: null, probes, neighbours: neighbours(name, sets, gallery, queries, settings.seed) }
}

async function evaluateUntrained(model: DemoModel, sets: DemoSets): Promise<Evaluated> {
  const { encoder: name, stem, vit, globalCrops, seed, channelsLast } = model.settings
  const precision = resolvePrecision(model.settings)
  const encoder = createEncoder(name, {
    stem,
    vit,
    imageSize: globalCrops.size,
    generator: new Generator(seed),
  })
  encoder.to({ device: precision.device, memoryFormat: channelsLast ? 'channelsLast' : 'contiguous' })
  const result = await evaluate('untrained', encoder, precision, model, sets)
  encoder.dispose()
  return { ...result, neighbours: [] }
}

function resultTable(sets: DemoSets, evaluated: Evaluated[]): ResultTable {
  const { transfer, data, validationName } = sets
  return {
    columns: [
      `training task, ${validationName}`,
      ...transfer.map(({ name }) => name),
      'mean log odds of transfer',
    ],
    rows: evaluated.map(({ name, top1, probes }) => ({
      model: name,
      cells: [
        top1,
        ...probes.map((result) => result.top1),
        meanLogOdds(
          probes.map((result) => result.top1),
          { n: transfer.map(({ test }) => test.length) },
        ),
      ],
    })),
    chance: [...[{ train: data.train, test: data.val }, ...transfer].map(guessing), null],
    notes: [
      `Top-1 in per cent. Transfer: a linear probe on frozen features; of ${PROBE_TRIALS} strengths of regularisation the ` +
        'best on a held-out fifth is taken. Chance: always naming the commonest class.',
      'Log odds of 0 and 100 % are those of half an image from either end.',
      ...unconverged(evaluated),
      ...transfer.map(({ name, about }) => `${name}: ${about}.`),
      'One run with one seed: small differences mean nothing.',
    ],
  }
}

/** Per cent right when the commonest class of the training images is always named. */
function guessing({ train, test }: Pick<DemoSets['transfer'][number], 'train' | 'test'>): number {
  const counts = new Map<number, number>()
  for (const { label } of train) counts.set(label, (counts.get(label) ?? 0) + 1)
  const [[commonest] = [0]] = [...counts].sort(([, a], [, b]) => b - a)
  return (100 * test.filter(({ label }) => label === commonest).length) / test.length
}

/** A note on probes that were stopped before they had converged, if there are any. */
function unconverged(evaluated: Evaluated[]): string[] {
  const fits = evaluated.flatMap(({ probes }) => probes.flatMap(({ trials }) => trials))
  const stopped = fits.filter(({ converged }) => !converged).length
  return stopped ? [`${stopped} of ${fits.length} fits of a probe reached the limit of iterations.`] : []
}

function describe({ name, label, settings }: DemoModel, run: Run): ReportModel {
  const rows = readMetrics(run)
  const { projector, onlineClassMeans, localCrops, globalCrops, temperature } = settings
  const epochs = rows.flatMap((row) => (row.kind === 'epoch' ? [row] : []))
  return {
    name,
    label,
    recipe: {
      encoder: settings.encoder,
      epochs: settings.epochs,
      batch: settings.batchSize,
      crops: [globalCrops, localCrops].flatMap((crops) => (crops ? [inWords(crops)] : [])).join(' + '),
      projector: projector ? `${projector.layers} hidden layers of ${projector.hidden}` : 'none',
      prototypes: onlineClassMeans ? `class means of a bank of ${onlineClassMeans.size}` : 'learned',
      softmax: temperature ? `cosine, temperature ${temperature}` : 'plain',
    },
    curve: rows.flatMap((row) => (row.kind === 'step' ? [row] : [])),
    validation: epochs.flatMap(({ epoch, top1, top5, valLoss }) =>
      top1 === undefined ? [] : [{ epoch: epoch + 1, top1, top5: top5!, loss: valLoss! }],
    ),
    seconds: epochs.reduce((sum, { seconds }) => sum + seconds, 0),
  }
}

function inWords({ count, size, scale: [least, most] }: DemoModel['settings']['globalCrops']): string {
  return `${count} x ${size} px of ${100 * least}-${100 * most} %`
}

function engineLine({ device, dtype }: Precision): string {
  const { version, record, threads } = engineInfo()
  return `libtorch ${version} (${record?.source}), ${device}, ${threads} threads, ${dtype ?? 'fp32'}`
}
