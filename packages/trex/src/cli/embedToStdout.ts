import { setImmediate } from 'node:timers/promises'
import { printable } from '../data/check/printable.js'
import { collectBadImages } from '../data/loader/badImages.js'
import { evalBatches } from '../data/loader/loader.js'
import type { EvalTransform } from '../data/pixels/evalTransform.js'
import type { Sample } from '../data/sources/sample.js'
import { type ComputeOptions, checkFinite, type FeatureComputer } from '../features/computeFeatures.js'
import { jsonLine } from '../features/jsonLines.js'
import { printWhileRead } from './print.js'

/** Prints a line of JSON an image as its features are computed, while somebody reads them. */
export async function embedToStdout(
  samples: readonly Sample[],
  { resize, crop, filter }: EvalTransform,
  { dim, rows }: FeatureComputer,
  { bad: policy, ...options }: ComputeOptions,
): Promise<void> {
  const bad = collectBadImages(policy)
  for await (const batch of evalBatches(samples, { resize, crop, filter, ...options, bad })) {
    const features = await rows(batch) // [B, D]
    batch.release()
    const pathOf = (row: number) => samples[batch.indices[row]!]!.path
    checkFinite(features, dim, pathOf)
    const lines = Array.from(batch.indices, (_, row) =>
      jsonLine(pathOf(row), features.subarray(row * dim, (row + 1) * dim)),
    )
    if (!(await printWhileRead(lines.join('').slice(0, -1)))) break // `head` has what it wanted
    await setImmediate() // batches that are ready would keep signals waiting
  }
  for (const reason of bad.skipped.values()) console.error(`left out: ${printable(reason)}`)
}
