import type { ByteSource } from './byteSource.js'
import type { Checkpoint } from './checkpoint.js'
import { CheckpointError } from './checkpointError.js'
import { openNpz } from './npzFile.js'
import { openOnnx } from './onnxFile.js'
import { withOurNames } from './otherNames.js'
import { openPth, openZipPth } from './pth.js'
import { pthCheckpoint } from './pthCheckpoint.js'
import { openSafetensorsFile } from './safetensorsFile.js'
import { readZip } from './zip.js'

const KINDS_HINT = 'Give weights as .safetensors, .pth, .npz or .onnx.'
const HEAD_BYTES = 512

/** Beginnings of files that are taken for weights, and are none. */
const OTHERS: readonly (readonly [begins: string, what: string, hint?: string])[] = [
  [
    'version https://git-lfs',
    'is a pointer of Git LFS in place of the file',
    'Run git lfs pull, or download it.',
  ],
  ['<', 'is a page of the web or XML, not the file that was to be downloaded', 'Download it again.'],
  ['\x89HDF', 'is an HDF5 file, as Keras writes', KINDS_HINT],
  ['\x1f\x8b', 'is compressed with gzip', 'Unpack it first.'],
  ['\x93NUMPY', 'is one array without names', 'Save all of them with numpy.savez.'],
]

/**
 * Opens weights of any kind that is known: what PyTorch wrote, safetensors, numpy's npz, ONNX. The kind is told by the
 * content, not by the name. Nothing in a file is executed, and no tensor is read before it is asked for; `source` must
 * stay open until then.
 * @throws CheckpointError naming the file and what is wrong with it.
 */
export function openCheckpoint(source: ByteSource): Checkpoint {
  const checkpoint = opened(source)
  return { ...checkpoint, networks: withOurNames(checkpoint.networks) }
}

function opened(source: ByteSource): Checkpoint {
  if (source.size === 0)
    throw new CheckpointError(source.name, 'is empty', { hint: 'Download or copy it again.' })
  const head = source.read(0, Math.min(source.size, HEAD_BYTES))
  const text = String.fromCharCode(...head)
  // The length of a header may begin like any other kind; that of a header below 4 GiB ends with zeros.
  if (text.slice(4, 9) === '\0\0\0\0{') return openSafetensorsFile(source)
  if (text.startsWith('PK')) return openZip(source)
  if (head[0] === 0x80 || text.startsWith('ustar', 257)) return pthCheckpoint(source, openPth(source))
  if (text[8] === '{') return openSafetensorsFile(source)
  if (head[0] === 0x08 && head[1]! < 0x20) return openOnnx(source) // field 1, the version of the format
  const [, what, hint] = OTHERS.find(([begins]) => text.startsWith(begins)) ?? []
  throw new CheckpointError(source.name, what ?? 'is no file of weights that is known', {
    hint: hint ?? KINDS_HINT,
  })
}

/** A zip archive is PyTorch's when it has a pickle, and numpy's when it has arrays. */
function openZip(source: ByteSource): Checkpoint {
  const entries = readZip(source, { deflated: true })
  const names = [...entries.keys()]
  const arrays =
    names.some((name) => name.endsWith('.npy')) && !names.some((name) => /(^|\/)data\.pkl$/.test(name))
  return arrays ? openNpz(source, entries) : pthCheckpoint(source, openZipPth(source, entries))
}
