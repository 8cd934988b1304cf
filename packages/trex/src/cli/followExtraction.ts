import type { ExtractedFeatures, ExtractionProgress } from '../features/computeFeatures.js'
import { type Progress, startProgress } from './progress.js'
import { Stopped } from './stop.js'

/** Shows how far an extraction is, and its rate; the result is the extraction's. */
export async function followExtraction(
  title: string,
  events: AsyncGenerator<ExtractionProgress, ExtractedFeatures>,
): Promise<ExtractedFeatures> {
  let progress: Progress | undefined
  let [began, last] = [0, null as ExtractionProgress | null]
  try {
    for (;;) {
      const { value, done } = await events.next()
      if (done) return value
      if (!progress) {
        if (value.resumedAt > 0) console.error(`${title}: goes on after ${value.resumedAt} images`)
        progress = startProgress(title, value.total, value.done)
        began = performance.now()
      }
      last = value
      const rate = (1000 * (value.done - value.resumedAt)) / Math.max(1, performance.now() - began)
      progress.update(value.done, `${rate.toFixed(1)} img/s`)
    }
  } catch (error) {
    progress?.stop()
    if (error instanceof Stopped && last)
      console.error(`stopped after ${last.done} of ${last.total} images: the same command goes on`)
    throw error
  } finally {
    progress?.stop()
  }
}
