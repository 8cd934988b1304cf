import { fromTypedArray, type Tensor, tidy } from 'trex-torch'
import {
  openSafetensors,
  SafetensorsError,
  type SafetensorsReader,
  typedArrayOf,
} from 'trex-torch/safetensors'
import { TrexError } from '../errors.js'
import type { Encoder } from '../method/encoder.js'

/** Where the encoder's weights are in a file, the first that occurs: a checkpoint of a run, an encoder, or bare names. */
const PREFIXES = ['model.encoder.', 'encoder.', ''] as const
/** What is not read: a classifier, and the counters of batch norm, which are of no use in evaluation. */
const IGNORED = /^(fc|head|heads|classifier)\.|(^|\.)num_batches_tracked$/
const DTYPES = { F32: 'float32', F64: 'float64', F16: 'float16', BF16: 'bfloat16' } as const

/**
 * Copies the weights of a safetensors file into an encoder: names as the encoder's own (`conv1.weight`), or with
 * `encoder.` or `model.encoder.` before them, as in a run's checkpoint, of which nothing else is read.
 * @throws TrexError when the file is missing or damaged, or its weights are those of another encoder.
 */
export function loadEncoderWeights(path: string, encoder: Encoder): void {
  let file: SafetensorsReader
  try {
    file = openSafetensors(path)
  } catch (cause) {
    throw unreadable(path, cause)
  }
  using reader = file
  const names = [...reader.entries.keys()]
  const prefix = PREFIXES.find((start) => names.some((name) => name.startsWith(start)))!
  const given = new Map(
    names
      .filter((name) => name.startsWith(prefix) && !IGNORED.test(name.slice(prefix.length)))
      .map((name) => [name.slice(prefix.length), name]),
  )
  const problems = misfits(encoder, given, reader)
  if (problems.length) {
    const more = problems.length > 5 ? `; and ${problems.length - 5} more` : ''
    throw new TrexError(`${path} fits another encoder: ${problems.slice(0, 5).join('; ')}${more}`, {
      hint: 'say what it is: --encoder resnet18, --image-size 32 or --set stem=small for the first layers of small images',
    })
  }
  tidy(() => {
    const tensors = new Map<string, Tensor>()
    for (const [name, full] of given) {
      let raw: ReturnType<SafetensorsReader['read']>
      try {
        raw = reader.read(full)
      } catch (cause) {
        throw unreadable(path, cause)
      }
      const dtype = DTYPES[raw.dtype as keyof typeof DTYPES]
      tensors.set(name, fromTypedArray(typedArrayOf(raw), raw.shape, { dtype }))
    }
    encoder.loadStateDict(tensors, { strict: false }) // all that is missing are counters
  })
}

function misfits(
  encoder: Encoder,
  given: ReadonlyMap<string, string>,
  { entries }: SafetensorsReader,
): string[] {
  const own = encoder.stateDict()
  const missing = [...own.keys()]
    .filter((name) => !given.has(name) && !IGNORED.test(name))
    .map((name) => `${name} is missing`)
  const others = [...given].flatMap(([name, full]) => {
    const { shape, dtype } = entries.get(full)!
    const tensor = own.get(name)
    if (!tensor) return [`${full} is unknown`]
    if (`${tensor.shape}` !== `${shape}`) return [`${full} is [${shape}], not [${tensor.shape}]`]
    return dtype in DTYPES ? [] : [`${full} is ${dtype}, no floating-point numbers`]
  })
  return [...others, ...missing]
}

function unreadable(path: string, cause: unknown): unknown {
  if (!(cause instanceof SafetensorsError)) return cause
  return new TrexError(`cannot read ${path}: ${cause.message}`, {
    hint: 'give a run folder or a safetensors file of encoder weights',
    cause,
  })
}
