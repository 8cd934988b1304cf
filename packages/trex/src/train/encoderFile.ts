import { statSync } from 'node:fs'
import { openSafetensors, type RawTensor, SafetensorsError } from 'trex-torch/safetensors'
import { CheckpointError, CONVERT_HINT } from '../checkpoints/checkpointError.js'
import { openFileSource } from '../checkpoints/fileSource.js'
import { openPth } from '../checkpoints/pth.js'
import type { PthTensor } from '../checkpoints/pthTensor.js'
import { stateDicts } from '../checkpoints/stateDicts.js'
import { TrexError } from '../errors.js'
import { loadCheckpoint } from './checkpoint.js'
import { runCheckpoint } from './runCheckpoint.js'

/** Named tensors of a file that may be an encoder's. */
export interface StoredNetwork {
  /** Where they are in the file, as `teacher` or `model.state_dict`; empty: at its top. */
  readonly path: string
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>
  /** Reads one of `tensors`. */
  read(name: string): RawTensor
}

/** A file of weights; close it with `using`. */
export interface EncoderFile extends Disposable {
  /** The file that was opened: of a run the checkpoint. */
  readonly path: string
  readonly networks: readonly StoredNetwork[]
}

/**
 * Opens weights: a run folder (its best checkpoint, or the last), a .safetensors file, or one that PyTorch wrote.
 * @throws TrexError when it cannot be opened or is damaged.
 */
export function openEncoderFile(path: string): EncoderFile {
  const file = statSync(path, { throwIfNoEntry: false })?.isDirectory()
    ? runCheckpoint(path, undefined)
    : path
  const stats = statSync(file, { throwIfNoEntry: false })
  if (stats && !stats.isFile())
    // a named pipe would wait for a writer
    throw new TrexError(`${file} is no regular file`, { hint: 'save the weights to a file first' })
  return file.toLowerCase().endsWith('.safetensors') ? openTensors(file) : openTorch(file)
}

function openTensors(path: string): EncoderFile {
  try {
    const reader = openSafetensors(path)
    if ('trex.checkpoint' in reader.metadata) {
      reader.close()
      const { tensors } = loadCheckpoint(path) // compares the checksum
      return { path, networks: [network(tensors)], [Symbol.dispose]: () => tensors.close() }
    }
    return { path, networks: [network(reader)], [Symbol.dispose]: () => reader.close() }
  } catch (cause) {
    if (!(cause instanceof SafetensorsError)) throw cause
    throw new TrexError(`cannot read weights: ${cause.message}`, {
      hint: 'give a run folder, or weights as .safetensors or .pth',
      cause,
    })
  }
}

const network = (reader: {
  readonly entries: StoredNetwork['tensors']
  read(name: string): RawTensor
}): StoredNetwork => ({ path: '', tensors: reader.entries, read: reader.read })

function openTorch(path: string): EncoderFile {
  const source = openFileSource(path)
  try {
    const file = openPth(source)
    const found = stateDicts(file.root)
    if (found.length === 0)
      throw new CheckpointError(path, 'holds no tensors by name', { hint: CONVERT_HINT })
    const networks = found.map(({ path, tensors }) => ({
      path,
      tensors,
      read: (name: string) => file.read(tensors.get(name) as PthTensor),
    }))
    return { path, networks, [Symbol.dispose]: () => source[Symbol.dispose]() }
  } catch (error) {
    source[Symbol.dispose]()
    throw error
  }
}
