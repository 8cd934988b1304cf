import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { safetensorsChunks, type TensorSource, writeFileAtomic } from 'trex-torch/safetensors'
import { z } from 'zod'
import type { Batch, Loader } from '../data/loader/loader.js'
import type { Sample } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import { cropGroups } from '../settings.js'
import type { StepFigures } from './meter.js'
import type { Run } from './run.js'

/** The step that ended a run because its loss, or a weight after it, was not a finite number: RUN/failure.json. */
export type Failure = Readonly<z.infer<typeof schema>>

const schema = z.object({
  what: z.enum(['loss', 'weights']),
  epoch: z.number(),
  /** Of the run, from 0, and its batch within the epoch. */
  step: z.number(),
  batch: z.number(),
  lr: z.number(),
  /** As text: JSON has no NaN. */
  loss: z.string(),
  /** The batch's images by name, with their class numbers. */
  images: z.array(z.object({ path: z.string(), label: z.number() })),
})

/** The loss of a step, or a weight after it, is not a finite number. */
export class NonFinite extends Error {
  /** @param step the step, where it is known; else it is the last one that was made */
  constructor(
    readonly what: Failure['what'],
    readonly step?: StepFigures,
  ) {
    super(`the ${what} stopped being finite`)
  }
}

const reportPath = (run: Pick<Run, 'dir'>) => join(run.dir, 'failure.json')
/** The crops and labels of the failed step, as they were. */
export const failedBatchPath = (run: Pick<Run, 'dir'>): string => join(run.dir, 'failure-batch.safetensors')

/** The failure that ended a run, if one did. @throws TrexError when its file is damaged. */
export function readFailure(run: Pick<Run, 'dir'>): Failure | null {
  const path = reportPath(run)
  if (!existsSync(path)) return null
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    throw new TrexError(`${path} is damaged`, {
      hint: 'remove it and resume the run: the step comes again',
      cause,
    })
  }
}

/** Forgets the failure of a run that goes on. */
export function clearFailure(run: Pick<Run, 'dir'>): void {
  for (const path of [reportPath(run), failedBatchPath(run)]) rmSync(path, { force: true })
}

/**
 * Keeps a step that gave what is not finite, its images made again as they were.
 * @returns the error that ends the run
 */
export async function keepFailure(
  run: Run,
  loader: Loader,
  samples: readonly Sample[],
  what: Failure['what'],
  { epoch, step, lr, loss }: StepFigures,
): Promise<TrexError> {
  const counts = cropGroups(run.settings).map(({ count }) => count)
  const at = { what, epoch, step, batch: step - epoch * loader.batches, lr, loss: String(loss) }
  const message =
    what === 'loss'
      ? `the loss is ${loss} at step ${step} (epoch ${epoch})`
      : `the weights are not finite after step ${step} (epoch ${epoch})`
  let kept = `\`trex replay ${run.dir}\` runs the step again and shows where the numbers go wrong; `
  let cause: unknown
  try {
    for await (const batch of loader.epoch(epoch, at.batch)) {
      const images = Array.from(batch.indices, (i) => ({ path: samples[i]!.path, label: samples[i]!.label }))
      writeFileAtomic(failedBatchPath(run), safetensorsChunks(batchTensors(batch, counts)))
      writeFileAtomic(reportPath(run), [Buffer.from(`${JSON.stringify({ ...at, images }, null, 2)}\n`)])
      break
    }
  } catch (error) {
    kept = `its batch cannot be kept (${(error as Error).message}); `
    cause = error
  }
  return new TrexError(message, {
    hint: `${kept}lower optimizer.lr, lengthen optimizer.warmupEpochs or set optimizer.clipNorm; the last checkpoint is from before this step`,
    cause,
  })
}

/** A batch as safetensors entries: `crops.0` [count * B, 3, S, S] and so on, `labels` [B]. */
function batchTensors({ crops, labels, size }: Batch, counts: readonly number[]): TensorSource[] {
  const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
    new Uint8Array(buffer, byteOffset, byteLength)
  return [
    ...crops.map((values, group): TensorSource => {
      const images = counts[group]! * size
      const side = Math.sqrt(values.length / (3 * images))
      return { name: `crops.${group}`, dtype: 'F32', shape: [images, 3, side, side], data: bytes(values) }
    }),
    { name: 'labels', dtype: 'I64', shape: [size], data: bytes(labels) },
  ]
}
