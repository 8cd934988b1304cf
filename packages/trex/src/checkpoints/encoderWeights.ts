import { ITEM_SIZES, type RawTensor } from 'trex-torch/safetensors-format'
import { isFloat } from './castTensor.js'
import type { Checkpoint, StoredNetwork } from './checkpoint.js'
import { CheckpointError, CONVERT_HINT } from './checkpointError.js'
import { type EncoderKind, kindsIn } from './encoderKind.js'
import type { EncoderReport } from './encoderReport.js'
import { encoderShapes } from './encoderShapes.js'
import { type FoundEncoder, findEncoder, type WantedShapes } from './findEncoder.js'
import { quoted } from './quoted.js'

/** An encoder's tensors under the names of torchvision and DINO, whatever file they came from. */
export interface EncoderWeights {
  readonly kind: EncoderKind
  /** Names without prefix: `conv1.weight`, `blocks.0.attn.qkv.bias`. */
  readonly tensors: ReadonlyMap<string, RawTensor>
  /**
   * What else the file has, under its full names: projector, prototypes, classifier. Their `data` is read from the source
   * each time it is asked for.
   */
  readonly rest: ReadonlyMap<string, RawTensor>
}

/** Bytes that the encoder may take beyond those of the file, which repeats or packs elements. */
const FREE = 48 << 20
const SHOWN = 12

/**
 * Takes an encoder out of a checkpoint: its kind is told by names and shapes, and each tensor it needs must be there in its
 * shape. `key` names the place where a file has several: those with its words are looked at, as `teacher`.
 * @throws CheckpointError when there is no encoder, there are several kinds, or it lists what lacks or has another shape.
 */
export function encoderWeights(
  checkpoint: Checkpoint,
  { key = '' }: { key?: string } = {},
): { weights: EncoderWeights; report: EncoderReport } {
  const { name, networks } = checkpoint
  const kind = oneKind(checkpoint, key)
  const wanted = encoderShapes(kind)
  const found = findEncoder(networks, wanted, key)!
  requireWhole(name, found, wanted)
  const { network, prefix, taken, leftOver } = found
  requireMemory(checkpoint, found)
  const tensors = new Map(taken.map((own) => [own, network.read(prefix + own)]))
  const rest = new Map(leftOver.map((own) => [own, lazyTensor(network, own)]))
  return { weights: { kind, tensors, rest }, report: reportOf(name, found) }
}

/** The report of an encoder that was found in a file. */
export function reportOf(path: string, found: FoundEncoder): EncoderReport {
  const { network, prefix, taken, leftOver, withoutCounter, others } = found
  return { path, key: network.path, prefix, taken: taken.length, leftOver, missing: withoutCounter, others }
}

/** The one kind of encoder that a file has. @throws CheckpointError when there are none or several. */
function oneKind({ name, networks, format }: Checkpoint, key = ''): EncoderKind {
  const { kinds, places } = kindsIn(networks, key)
  if (kinds.length === 1) return kinds[0]!
  const found = kinds.map(({ encoder }) => encoder).join(', ')
  if (found)
    throw new CheckpointError(name, `has weights of several encoders: ${found}`, {
      hint: `Say which with --key: ${shown(places)}.`,
    })
  if (places.length)
    throw new CheckpointError(name, `has no encoder under ${quoted(key)}`, {
      hint: `It has them under ${shown(places)}.`,
    })
  const names = networks.flatMap(({ tensors }) => [...tensors.keys()].slice(0, 3))
  if (names.length === 0 && format === 'pytorch')
    throw new CheckpointError(name, 'holds no tensors by name', { hint: CONVERT_HINT })
  throw new CheckpointError(
    name,
    `has no encoder that is recognised: ${names.length ? `its names are like ${shown(names)}` : 'it has no weights'}`,
    {
      hint:
        format === 'onnx'
          ? 'A graph is run as it is: `trex embed` takes it.'
          : 'ResNets (torchvision, Hugging Face) and vision transformers (DINO, timm, torchvision, Hugging Face) are.',
    },
  )
}

const shown = (names: readonly string[]) => names.slice(0, 3).map(quoted).join(', ')

function requireWhole(
  file: string,
  { network, prefix, taken, missing, misfits }: FoundEncoder,
  wanted: WantedShapes,
) {
  const at = (name: string) => network.tensors.get(prefix + name)!
  const problems = [
    ...missing.map((name) => `${name} is missing`),
    ...misfits.map((name) => `${name} is [${at(name).shape}], not [${wanted.get(name)}]`),
    ...taken
      .filter((name) => !name.endsWith('num_batches_tracked') && !isFloat(at(name).dtype))
      .map((name) => `${name} has elements of type ${at(name).dtype}, which are no weights`),
  ]
  if (problems.length === 0) return
  const lines = problems.slice(0, SHOWN).map((problem) => `  ${problem.slice(0, 200)}`)
  const more = problems.length > SHOWN ? [`  and ${problems.length - SHOWN} more`] : []
  throw new CheckpointError(file, ['does not have the whole encoder:', ...lines, ...more].join('\n'), {
    hint: 'Its names are those of this encoder, but it is another one, or a part of it is left out.',
  })
}

/** A file may repeat its elements, or pack them: what it may fill of memory is bounded by its size. */
function requireMemory({ name, size }: Checkpoint, { network, prefix, taken }: FoundEncoder): void {
  const sizes = taken.map((own) => {
    const { dtype, shape } = network.tensors.get(prefix + own)!
    return shape.reduce((product, length) => product * length, ITEM_SIZES[dtype])
  })
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  if (bytes > size + FREE)
    throw new CheckpointError(name, `has ${size} bytes, but its encoder would take ${bytes}`)
}

const lazyTensor = (network: StoredNetwork, name: string): RawTensor => {
  const { dtype, shape } = network.tensors.get(name)!
  return {
    dtype,
    shape,
    get data() {
      return network.read(name).data
    },
  }
}
