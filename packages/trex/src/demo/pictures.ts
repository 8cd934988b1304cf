import { decodeImage } from '../data/decode/decode.js'
import { multiCrop } from '../data/pixels/multiCrop.js'
import type { ReportCrops, ReportNeighbours } from '../report/report.js'
import { rngFor } from '../rng.js'
import { cropGroups, type Settings } from '../settings.js'
import type { FeatureSet } from '../transfer/features.js'
import { nearest } from '../transfer/nearest.js'
import type { DemoSets } from './sets.js'

const CROPPED_IMAGES = 4
const QUERIES = 5
const HITS = 5

/** Some training images and the crops of them that the recipe feeds in its first epoch. */
export async function fedCrops({ data }: DemoSets, settings: Settings): Promise<ReportCrops[]> {
  const chosen = [...rngFor(settings.seed, 1, 1).permutation(data.train.length).subarray(0, CROPPED_IMAGES)]
  return Promise.all(
    chosen.map(async (sample) => {
      const { path, label } = data.train[sample]!
      const image = await decodeImage(path)
      const [global, local = []] = multiCrop(image, cropGroups(settings), {
        seed: settings.seed,
        epoch: 0,
        sample,
      })
      return { path, label: data.classes[label]!, global: global!, local }
    }),
  )
}

/** For some validation images, the training images with the most similar features: across styles, not alike in pixels. */
export function neighbours(
  model: string,
  { data }: DemoSets,
  gallery: FeatureSet,
  queries: FeatureSet,
  seed: number,
): ReportNeighbours[] {
  const rows = [...rngFor(seed, 2, 2).permutation(data.val.length).subarray(0, QUERIES)]
  const hitCount = Math.min(HITS, data.train.length)
  const found = nearest(queries, gallery, hitCount)
  return rows.map((row) => {
    const query = data.val[row]!
    const hits = Array.from({ length: hitCount }, (_, i) => {
      const hit = data.train[found.indices[row * hitCount + i]!]!
      const similarity = found.similarities[row * hitCount + i]!
      return {
        path: hit.path,
        label: data.classes[hit.label]!,
        correct: hit.label === query.label,
        similarity,
      }
    })
    return { model, query: { path: query.path, label: data.classes[query.label]! }, hits }
  })
}
