import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  removeTemporaries,
  safetensorsChunks,
  type TensorSource,
  writeFileAtomic,
} from 'trex-torch/safetensors'
import { z } from 'zod'
import { type Batch, type Loader, openLoader } from '../data/loader/loader.js'
import type { CropGroup } from '../data/pixels/multiCrop.js'
import { normalizedCrops } from '../data/pixels/normalize.js'
import type { ImageDataset } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import { cropGroups } from '../settings.js'
import type { StepFigures } from './meter.js'
import type { ValidationReading } from './reading.js'
import type { Run } from './run.js'

/**
 * The step that ended a run because its loss, or after it a weight or other state that a checkpoint holds, was not a
 * finite number: RUN/failure.json.
 */
export type Failure = Readonly<z.infer<typeof schema>>

const schema = z.object({
  what: z.enum(['loss', 'weights', 'state']),
  epoch: z.number(),
  /** Of the run, from 0, and its batch within the epoch. */
  step: z.number(),
  batch: z.number(),
  lr: z.number(),
  /** As text: JSON has no NaN. */
  loss: z.string(),
  /** The batch's images by name, with their class numbers; empty when they could not be read again. */
  images: z.array(z.object({ path: z.string(), label: z.number() })),
})

/** The loss of a step, or a weight or other state after it, is not a finite number. */
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
  for (const path of [reportPath(run), failedBatchPath(run)]) {
    rmSync(path, { force: true })
    removeTemporaries(path)
  }
}

/**
 * Keeps a step that gave what is not finite: what is known of it first, then its images, made again as they were.
 * @param reading what the run reads images with; it may have been asked to stop
 * @returns the error that ends the run
 */
export async function keepFailure(
  run: Run,
  { train: samples }: ImageDataset,
  { loader, signal, ...reading }: ValidationReading & { readonly loader?: Loader | undefined },
  what: Failure['what'],
  { epoch, step, lr, loss }: StepFigures,
): Promise<TrexError> {
  const { batchSize, seed } = run.settings
  const groups = cropGroups(run.settings)
  const again = loader ?? openLoader({ samples, groups, batchSize, seed, ...reading })
  const failure = { what, epoch, step, batch: step - epoch * again.batches, lr, loss: String(loss) }
  const write = (images: Failure['images']) =>
    writeFileAtomic(reportPath(run), [Buffer.from(`${JSON.stringify({ ...failure, images }, null, 2)}\n`)])
  const after = `after step ${step} (epoch ${epoch})`
  const message = {
    loss: `the loss is ${loss} at step ${step} (epoch ${epoch})`,
    weights: `the weights are not finite ${after}`,
    state: `batch-norm statistics, memory bank or optimizer state are not finite ${after}`,
  }[what]
  let kept = `\`trex replay ${run.dir}\` runs the step again and shows where the numbers go wrong; `
  let cause: unknown
  try {
    write([])
    for await (const batch of again.epoch(epoch, failure.batch)) {
      const images = Array.from(batch.indices, (i) => ({ path: samples[i]!.path, label: samples[i]!.label }))
      writeFileAtomic(failedBatchPath(run), safetensorsChunks(batchTensors(batch, groups)))
      write(images)
      break
    }
  } catch (error) {
    kept = `its batch cannot be kept (${(error as Error).message}); `
    cause = error
  }
  const remedy = 'lower optimizer.lr, lengthen optimizer.warmupEpochs or set optimizer.clipNorm'
  const place = `in ${join(run.dir, 'config.yaml')}, then \`trex train --resume ${run.dir}\``
  return new TrexError(message, {
    hint: `${kept}${remedy} ${place}, which goes on from before this step`,
    cause,
  })
}

/** A batch as safetensors entries: `crops.0` [count * B, 3, S, S], normalised, and so on, `labels` [B]. */
function batchTensors(
  { crops, normalization, labels, size }: Batch,
  groups: readonly CropGroup[],
): TensorSource[] {
  const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
    new Uint8Array(buffer, byteOffset, byteLength)
  return [
    ...groups.map(({ count, size: side }, group): TensorSource => {
      const data = bytes(normalizedCrops(crops[group]!, side, normalization))
      return { name: `crops.${group}`, dtype: 'F32', shape: [count * size, 3, side, side], data }
    }),
    { name: 'labels', dtype: 'I64', shape: [size], data: bytes(labels) },
  ]
}
