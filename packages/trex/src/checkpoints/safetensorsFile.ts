import {
  headerLength,
  PREFIX_BYTES,
  parseHeader,
  SafetensorsError,
  type SafetensorsHeader,
} from 'trex-torch/safetensors-format'
import type { ByteSource } from './byteSource.js'
import type { Checkpoint } from './checkpoint.js'
import { CheckpointError } from './checkpointError.js'
import { networkTree } from './tree.js'

/**
 * Bytes a header may have in any file, and its largest share of a larger one: parsed, it takes 14 times as much memory.
 * 2 MiB describe 20,000 tensors.
 */
const FREE_HEADER = 2 << 20
const HEADER_SHARE = 1 / 8

/**
 * Opens a safetensors file; its header is read and checked.
 * @throws CheckpointError naming the file, the tensor and the fault.
 */
export function openSafetensorsFile(source: ByteSource): Checkpoint {
  const { name, size } = source
  const header = readHeader(source)
  const network = {
    path: '',
    tensors: header.entries,
    read(tensor: string) {
      const { dtype, shape, begin, end } = header.entries.get(tensor)!
      return { dtype, shape, data: source.read(header.dataStart + begin, end - begin) }
    },
  }
  return {
    ...{ name, size, format: 'safetensors', metadata: header.metadata, networks: [network] },
    tree: () => networkTree(network.tensors, { metadata: header.metadata }),
  }
}

function readHeader(source: ByteSource): SafetensorsHeader {
  try {
    const prefix = source.read(0, Math.min(PREFIX_BYTES, source.size))
    const length = headerLength(prefix, source.size, source.name)
    if (length > FREE_HEADER && length > source.size * HEADER_SHARE)
      throw new SafetensorsError(source.name, `${length} of its ${source.size} bytes are header`)
    const json = source.read(PREFIX_BYTES, length)
    return parseHeader(json, source.size - PREFIX_BYTES - length, source.name)
  } catch (cause) {
    if (!(cause instanceof SafetensorsError)) throw cause
    throw new CheckpointError(source.name, cause.message.slice(source.name.length + 2), {
      cause,
      hint: 'Download or copy it again.',
    })
  }
}
