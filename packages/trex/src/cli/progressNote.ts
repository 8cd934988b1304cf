/** What the progress of training shows of the last step. */
export interface ProgressFigures {
  /** From 0, as in metrics.jsonl. */
  readonly epoch: number
  /** Nats. */
  readonly loss: number
  /** Per cent of the crops; left out where it is not known. */
  readonly top1?: number
  readonly lr: number
  readonly imagesPerSecond: number
  /** Share of the time spent waiting for images, 0 to 1. */
  readonly dataWait: number
  /** Columns the note may take: the least important parts go first, the loss stays. No limit by default. */
  readonly columns?: number
}

/** The note beside a progress bar. Its parts have fixed widths, so that the bar does not jump. */
export function progressNote({
  epoch,
  loss,
  top1,
  lr,
  imagesPerSecond,
  dataWait,
  columns = Number.POSITIVE_INFINITY,
}: ProgressFigures): string {
  const parts = [
    { keep: 4, text: `epoch ${String(epoch + 1).padStart(3)}` },
    { keep: 5, text: `loss ${lossText(loss).padStart(6)}` },
    ...(top1 === undefined ? [] : [{ keep: 3, text: `top-1 ${top1.toFixed(1).padStart(5)} %` }]),
    { keep: 0, text: `lr ${rateText(lr).padStart(6)}` },
    { keep: 2, text: `${speedText(imagesPerSecond).padStart(5)} img/s` },
    { keep: 1, text: `data ${(100 * dataWait).toFixed(0).padStart(3)} %` },
  ]
  for (let least = 0; ; least++) {
    const note = parts
      .filter(({ keep }) => keep >= least)
      .map(({ text }) => text)
      .join(' · ')
    if (note.length <= columns || least === 5) return note
  }
}

/** Six characters at most. */
function lossText(loss: number): string {
  if (!(Math.abs(loss) >= 99.9995)) return loss.toFixed(3)
  return Math.abs(loss) < 9999.95 ? loss.toFixed(1) : loss.toExponential(0)
}

/** Six characters at most. */
function rateText(lr: number): string {
  const text = lr.toPrecision(2)
  return text.length <= 6 ? text : lr.toExponential(1)
}

const speedText = (speed: number) => (speed < 99.95 ? speed.toFixed(1) : speed.toFixed(0))
