import { duration } from '../report/duration.js'
import type { Learner } from '../train/learner.js'
import type { TrainEvent } from '../train/train.js'
import { type Progress, startProgress } from './progress.js'

/** Draws the progress of a training run while it goes, and returns what it learned. */
export async function followTraining(
  events: AsyncGenerator<TrainEvent, Learner>,
  title = 'train',
): Promise<Learner> {
  let progress: Progress | undefined
  let rate = 0
  try {
    for (;;) {
      const { value, done } = await events.next()
      if (done) return value
      const event = value
      if (event.kind === 'step') {
        progress ??= startProgress(title, event.steps, event.step)
        rate = rate === 0 ? event.imagesPerSecond : 0.9 * rate + 0.1 * event.imagesPerSecond
        const note = `epoch ${event.epoch + 1} · loss ${event.loss.toFixed(3)} · lr ${event.lr.toPrecision(2)} · ${rate.toFixed(1)} img/s`
        progress.update(event.step + 1, note)
      } else {
        const scores =
          event.top1 === undefined
            ? ''
            : ` · val top-1 ${event.top1.toFixed(1)} % · top-5 ${event.top5?.toFixed(1)} %`
        const line = `epoch ${event.epoch + 1} · loss ${event.loss.toFixed(3)}${scores} · ${duration(event.seconds)}`
        progress ? progress.line(line) : console.error(line)
      }
    }
  } finally {
    progress?.stop()
  }
}
