import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { htmlText } from './html.js'
import { page } from './page.js'
import type { Picture } from './pictures.js'
import type { ResultTable } from './table.js'

/** One trained model: what it was asked to do and how it went. */
export interface ReportModel {
  /** The key by which the other parts refer to it. */
  name: string
  /** What a reader sees. */
  label: string
  recipe: Record<string, string | number>
  /** One entry a logged step; the loss is in nats. */
  curve: { epoch: number; step: number; loss: number; lr: number; imagesPerSecond: number }[]
  /** One entry an epoch; accuracies in per cent. */
  validation: { epoch: number; top1: number; top5: number; loss: number }[]
  seconds: number
}

/** One picture and the crops of it that were fed. */
export interface ReportCrops {
  path: string
  label: string
  global: Picture[]
  local: Picture[]
}

/** A query picture and the nearest ones to it in a model's features, most similar first. */
export interface ReportNeighbours {
  model: string
  query: { path: string; label: string }
  /** `similarity` is the cosine of the features. */
  hits: { path: string; label: string; correct: boolean; similarity: number }[]
}

/** Whose work was used, and its terms. */
export interface ReportLicence {
  /** Whether the report shows it, or a probe was fitted on it without showing it. */
  shown: boolean
  what: string
  licence: string
  author: string
  url: string
}

/** Everything a report shows, as plain data. */
export interface DemoReport {
  title: string
  subtitle: string
  date: string
  /** For example `libtorch 1.13.1 (system), 2 threads, fp32`. */
  engine: string
  models: ReportModel[]
  /** A row whose model is not among `models`, such as a baseline, is drawn in grey. */
  table: ResultTable
  crops: ReportCrops[]
  neighbours: ReportNeighbours[]
  licences: ReportLicence[]
}

/**
 * Writes a report as one HTML file that loads nothing: charts are inline SVG, pictures data: URIs.
 *
 * The file appears whole or not at all.
 * @throws TrexError naming a picture that cannot be read
 */
export async function writeReport(file: string, report: DemoReport): Promise<void> {
  const text = htmlText(await page(report))
  await mkdir(dirname(file), { recursive: true })
  const partial = `${file}.${randomUUID()}.partial`
  try {
    await writeFile(partial, text)
    await rename(partial, file)
  } finally {
    await rm(partial, { force: true })
  }
}
