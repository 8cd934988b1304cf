import { duration } from '../report/duration.js'
import { describeInit } from '../train/initFrom.js'
import type { Learner } from '../train/learner.js'
import type { TrainEvent } from '../train/train.js'
import { type Progress, startProgress } from './progress.js'
import { progressNote } from './progressNote.js'

/** Draws the progress of a training run while it goes, and returns what it learned; the run ends if it cannot be drawn. */
export async function followTraining(
  events: AsyncGenerator<TrainEvent, Learner>,
  title = 'train',
): Promise<Learner> {
  let progress: Progress | undefined
  let rate = 0
  const say = (line: string) => (progress ? progress.line(line) : console.error(line))
  try {
    for (;;) {
      const { value, done } = await events.next()
      if (done) return value
      const event = value
      if (event.kind === 'init') console.error(describeInit(event.report).join('\n'))
      else if (event.kind === 'note') say(`note: ${event.text}`)
      else if (event.kind === 'step') {
        progress ??= startProgress(title, event.steps, event.step)
        rate = rate === 0 ? event.imagesPerSecond : 0.9 * rate + 0.1 * event.imagesPerSecond
        const note = progressNote({ ...event, imagesPerSecond: rate, columns: progress.columns })
        progress.update(event.step + 1, note)
      } else if (event.kind === 'epoch') {
        const scores =
          event.top1 === undefined
            ? ''
            : ` · val top-1 ${event.top1.toFixed(1)} % · top-5 ${event.top5?.toFixed(1)} %`
        const trained = `loss ${event.loss.toFixed(3)} · top-1 ${event.trainTop1.toFixed(1)} %`
        const line = `epoch ${event.epoch + 1} · ${trained}${scores} · ${duration(event.seconds)}`
        say(line)
      }
    }
  } catch (error) {
    await endQuietly(events)
    throw error
  } finally {
    progress?.stop()
  }
}

/** Ends what is still iterating, after an error that counts more than one of this. */
export async function endQuietly(events: AsyncGenerator<unknown, unknown>): Promise<void> {
  try {
    await events.return(undefined)
  } catch {}
}
