import { existsSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { printable } from '../data/check/printable.js'
import { encoderOf } from '../embed/encoder.js'
import { decodeInput, imageName } from '../embed/imageInput.js'
import { BATCH_SIZE, openSession } from '../embed/loadEncoder.js'
import { nearest } from '../embed/nearest.js'
import { modelFingerprint, openModel } from '../embed/openModel.js'
import type { Rows } from '../embed/session.js'
import { TrexError } from '../errors.js'
import { isVectorFile, readVectors, type StoredVectors } from '../features/readVectors.js'
import { searchPage } from '../report/searchPage.js'
import { type EncoderFlags, loadOptionsOf } from './embedOptions.js'
import { print } from './print.js'

/** The options of `trex search` as commander gives them. */
export interface SearchFlags extends EncoderFlags {
  in?: string
  k: number
  html?: string
  json?: boolean
}

/** A query with what is most similar to it, best first. */
interface Found {
  readonly query: string
  readonly hits: readonly { readonly path: string; readonly index: number; readonly score: number }[]
}

/** Does what `trex search` was asked. */
export async function runSearch(
  model: string,
  queries: readonly string[],
  flags: SearchFlags,
): Promise<void> {
  if (!existsSync(model))
    throw new TrexError(`there is no model or feature file ${model}`, { hint: 'check the path' })
  const byVectors = isVectorFile(model)
  const place = flags.in ?? (byVectors ? model : undefined)
  if (place === undefined)
    throw new TrexError('there is nothing to search', {
      hint: 'give --in FEATURES, which `trex embed` wrote',
    })
  const gallery = await readVectors(place)
  const found = byVectors
    ? searchByVectors(
        await queryVectors(model, queries, place === model ? gallery : undefined),
        gallery,
        flags.k,
      )
    : await searchByImages(model, queries, gallery, place, flags)
  if (flags.html !== undefined) await writePage(flags.html, place, found, gallery)
  await print(flags.json ? JSON.stringify(found, null, 2) : text(found))
}

/** Queries that are rows of features. */
interface QueryVectors {
  readonly rows: Rows
  readonly names: readonly string[]
  /** Their places in what is searched, where they are from there: none finds itself. */
  readonly own: readonly number[] | null
}

async function queryVectors(
  file: string,
  queries: readonly string[],
  gallery: StoredVectors | undefined,
): Promise<QueryVectors> {
  const from = gallery ?? (await readVectors(file))
  const { features, dim, paths } = from
  const n = features.length / dim
  const places = queries.map((query) => {
    const place = paths?.indexOf(query) ?? -1
    if (place >= 0) return place
    if (/^\d+$/.test(query) && Number(query) < n) return Number(query)
    throw new TrexError(`${file} has no image ${query}`, {
      hint: `give its path as it is stored${paths?.[0] === undefined ? '' : ` (the first is ${paths[0]})`}, or a number from 0 to ${n - 1}`,
    })
  })
  const rows = new Float32Array(places.length * dim)
  for (const [i, place] of places.entries())
    rows.set(features.subarray(place * dim, (place + 1) * dim), i * dim)
  return {
    rows: { features: rows, shape: [places.length, dim] },
    names: places.map((place) => nameOf(from, place)),
    own: gallery ? places : null,
  }
}

function searchByVectors({ rows, names, own }: QueryVectors, gallery: StoredVectors, k: number): Found[] {
  const { features, dim } = gallery
  const n = features.length / dim
  const wanted = Math.min(n, k + (own ? 1 : 0))
  const { indices, scores } = nearest(rows, { features, shape: [n, dim] }, wanted)
  return names.map((query, row) => {
    const ranks = Array.from({ length: wanted }, (_, rank) => row * wanted + rank)
    const others = ranks.filter((at) => indices[at] !== own?.[row]).slice(0, k)
    return {
      query,
      hits: others.map((at) => ({
        path: nameOf(gallery, indices[at]!),
        index: indices[at]!,
        score: scores[at]!,
      })),
    }
  })
}

async function searchByImages(
  path: string,
  queries: readonly string[],
  gallery: StoredVectors,
  place: string,
  flags: SearchFlags,
): Promise<Found[]> {
  const { info } = gallery
  // As the features were made: else the numbers mean something else.
  const { autoOrient, ...preprocess } = {
    autoOrient: flags.autoOrient ?? false,
    ...flags.preprocess,
    ...info?.identity.transform,
  }
  const options = { ...loadOptionsOf(flags), preprocess }
  const model = openModel(path, options)
  if (info && info.identity.model !== modelFingerprint(model))
    throw new TrexError(`${place} holds features of another model: ${info.encoder}`, {
      hint: 'search with the model that they are of, or embed the images with this one',
    })
  if (!info) console.error(`${place} does not say of which model it is`)
  const { session, description } = await openSession(model, options)
  await using encoder = encoderOf<string>({
    ...{ session, description, engine: session.engine, batchSize: flags.batchSize ?? BATCH_SIZE },
    decode: (image) => decodeInput(image, { autoOrient }),
    nameOf: imageName,
  })
  if (description.featureDim !== gallery.dim)
    throw new TrexError(
      `${place} holds ${gallery.dim} numbers an image, ${path} gives ${description.featureDim}`,
      {
        hint: 'search with the model that the features are of',
      },
    )
  return searchByVectors({ rows: await encoder.embed(queries), names: queries, own: null }, gallery, flags.k)
}

const nameOf = ({ paths }: StoredVectors, index: number): string => paths?.[index] ?? String(index)

async function writePage(
  page: string,
  place: string,
  found: readonly Found[],
  { info, paths }: StoredVectors,
): Promise<void> {
  if (!paths)
    throw new TrexError(`${place} does not say where its pictures are`, { hint: 'leave out --html' })
  const at = (path: string) => resolve(info?.root ?? '', path)
  const html = await searchPage({
    title: `Similar pictures in ${place}`,
    subtitle: info ? `${paths.length} pictures, ${info.encoder}` : `${paths.length} pictures`,
    results: found.map(({ query, hits }) => ({
      query: { name: query, path: paths.includes(query) ? at(query) : resolve(query) },
      hits: hits.map(({ path, score }) => ({ name: path, path: at(path), score })),
    })),
  })
  try {
    writeFileSync(page, html)
  } catch (cause) {
    throw new TrexError(`${page} cannot be written: ${(cause as Error).message}`, {
      hint: 'choose another --html',
      cause,
    })
  }
}

function text(found: readonly Found[]): string {
  return found
    .map(({ query, hits }) =>
      [
        printable(query),
        ...hits.map(({ path, score }) => `  ${score.toFixed(4).padStart(7)}  ${printable(path)}`),
      ].join('\n'),
    )
    .join('\n')
}
