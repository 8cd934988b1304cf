import { statSync } from 'node:fs'
import type { Checkpoint } from '../checkpoints/checkpoint.js'
import { CheckpointError, CONVERT_HINT } from '../checkpoints/checkpointError.js'
import { openFileSource } from '../checkpoints/fileSource.js'
import { openCheckpoint } from '../checkpoints/openCheckpoint.js'
import { loadCheckpoint } from './checkpoint.js'
import { runCheckpoint } from './runCheckpoint.js'

/** A file of weights; close it with `using`. */
export interface EncoderFile extends Checkpoint, Disposable {
  /** The file that was opened: of a run the checkpoint. */
  readonly path: string
}

/**
 * Opens weights: a run folder (its best checkpoint, or the last), or any file that `openCheckpoint` knows. Of a checkpoint
 * of a run the checksum is compared.
 * @throws TrexError when it cannot be opened or is damaged.
 */
export function openEncoderFile(path: string): EncoderFile {
  const file = statSync(path, { throwIfNoEntry: false })?.isDirectory()
    ? runCheckpoint(path, undefined)
    : path
  const source = openFileSource(file)
  const close = () => source[Symbol.dispose]()
  try {
    const checkpoint = openCheckpoint(source)
    if ('trex.checkpoint' in checkpoint.metadata) loadCheckpoint(file).tensors.close()
    if (checkpoint.networks.length === 0)
      throw new CheckpointError(file, 'holds no tensors by name', { hint: CONVERT_HINT })
    return { ...checkpoint, path: file, [Symbol.dispose]: close }
  } catch (error) {
    close()
    throw error
  }
}
