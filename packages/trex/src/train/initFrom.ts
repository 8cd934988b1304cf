import { type DType, fromTypedArray, noGrad, type Tensor, tidy } from 'trex-torch'
import { type RawTensor, typedArrayOf } from 'trex-torch/safetensors'
import { printable } from '../data/check/printable.js'
import { TrexError } from '../errors.js'
import type { Encoder } from '../method/encoder.js'
import { OnlineClassMeans } from '../method/onlineClassMeans.js'
import { positionsAt } from '../method/vitPositions.js'
import { openEncoderFile, type StoredNetwork } from './encoderFile.js'
import type { Learner } from './learner.js'

/** What an encoder was initialised with. */
export interface InitReport {
  /** The file, and where in it: a key such as `teacher`, and what stands before the encoder's names. */
  readonly path: string
  readonly key: string
  readonly prefix: string
  /** How many of the encoder's tensors came from the file. */
  readonly taken: number
  /** Names of the file that are none of the encoder's. */
  readonly leftOver: readonly string[]
  /** Counters of batches that the file does not have; they stay 0. */
  readonly missing: readonly string[]
  /** The position embedding's patches a side in the file and here, when they differ. */
  readonly interpolated: readonly [from: number, to: number] | null
}

/** What checkpoints put before an encoder's names, alone or one after the other; of two that fit the first is taken. */
const PREFIXES = ['module.', 'model.', 'backbone.', 'encoder.', 'base_encoder.', 'teacher.', 'student.']
const MAX_PREFIXES = 4

const POSITIONS = 'pos_embed'
/** Files of PyTorch before 0.4.1 do not have it, and no evaluation reads it. */
const COUNTER = /(^|\.)num_batches_tracked$/

/**
 * Gives a fresh learner the encoder weights of a file, as `loadEncoder` does; its momentum encoder starts as a copy.
 * @throws TrexError as `loadEncoder` does.
 */
export function initialiseFrom(learner: Learner, path: string): InitReport {
  const { model, prototypes } = learner
  const report = loadEncoder(model.encoder, path)
  if (prototypes instanceof OnlineClassMeans)
    prototypes.momentumEncoder.model.loadStateDict(model.stateDict())
  return report
}

/**
 * Copies the encoder weights of a run, a .safetensors or a PyTorch file into an encoder. Of names that fit equally well
 * a teacher's are taken before a student's. A position embedding of another grid is interpolated as the encoder itself
 * would for images of that size.
 * @throws TrexError when the file cannot be read, or lists what the encoder needs and the file lacks or has in another
 * shape; no weight has changed then.
 */
export function loadEncoder(encoder: Encoder, path: string): InitReport {
  const own = encoder.stateDict()
  using file = openEncoderFile(path)
  const { network, prefix } = bestFit(file.path, file.networks, own)
  const shapeOf = (name: string) => network.tensors.get(prefix + name)?.shape
  const missing = [...own.keys()].filter((name) => shapeOf(name) === undefined)
  const absent = missing.filter((name) => !COUNTER.test(name)).map((name) => `${name} is missing`)
  const problems = [...own].flatMap(([name, tensor]) => misfit(name, tensor, shapeOf(name)))
  if (absent.length || problems.length) throw unlike(file.path, [...absent, ...problems])

  const names = [...own.keys()].filter((name) => shapeOf(name) !== undefined)
  let interpolated: InitReport['interpolated'] = null
  tidy(() =>
    noGrad(() => {
      const values = names.map((name) =>
        tensorOf(network.read(prefix + name), `${file.path}: ${prefix}${name}`),
      )
      for (const [i, name] of names.entries()) {
        const [target, value] = [own.get(name)!, values[i]!]
        const [from, to] = [value, target].map(sideOf) as [number, number]
        if (name === POSITIONS && from !== to) interpolated = [from, to]
        target.copy_(name === POSITIONS ? positionsAt(value.to({ dtype: 'float32' }), [to, to]) : value)
      }
    }),
  )
  const used = new Set(names.map((name) => prefix + name))
  const leftOver = [...network.tensors.keys()].filter((name) => !used.has(name))
  return { path: file.path, key: network.path, prefix, taken: names.length, leftOver, missing, interpolated }
}

/** The report in words, a line each. */
export function describeInit({
  path,
  key,
  prefix,
  taken,
  leftOver,
  missing,
  interpolated,
}: InitReport): string[] {
  const where = [key && `in ${key}`, prefix && `under ${prefix}*`].filter(Boolean).join(', ')
  return [
    `encoder from ${path}${where ? ` (${where})` : ''}: ${taken} tensors taken`,
    ...(leftOver.length ? [`  left over: ${summary(leftOver)}`] : []),
    ...(missing.length ? [`  missing, and left at 0: ${summary(missing)}`] : []),
    ...(interpolated
      ? [
          `  ${POSITIONS} interpolated from ${interpolated[0]}x${interpolated[0]} to ${interpolated[1]}x${interpolated[1]} patches`,
        ]
      : []),
  ]
}

/** The names, or of many how many there are under each first part. */
function summary(names: readonly string[]): string {
  if (names.length <= SHOWN) return names.map(shortName).join(', ')
  const groups = new Map<string, { first: string; count: number }>()
  for (const name of names) {
    const key = /^(model\.)?[^.]+/.exec(name)?.[0] ?? name
    const group = groups.get(key)
    if (group) group.count++
    else groups.set(key, { first: name, count: 1 })
  }
  const shown = [...groups]
    .slice(0, SHOWN)
    .map(([key, { first, count }]) => (count === 1 ? shortName(first) : `${shortName(key)}.* (${count})`))
  const more = groups.size > SHOWN ? `, and ${groups.size - SHOWN} more` : ''
  return `${names.length} names: ${shown.join(', ')}${more}`
}

const SHOWN = 12
const LONGEST_NAME = 80

/** A name of the file for a line of text. */
const shortName = (name: string): string =>
  printable(name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}...` : name)

type Own = ReadonlyMap<string, Tensor>

/** The network and the prefix under which most of the encoder's names are found. */
function bestFit(
  path: string,
  networks: readonly StoredNetwork[],
  own: Own,
): { network: StoredNetwork; prefix: string } {
  const fits = networks.flatMap((network) =>
    prefixesOf([...network.tensors.keys()]).map(({ prefix, names }) => {
      const count = names.filter((name) => own.has(name.slice(prefix.length))).length
      return { network, prefix, count }
    }),
  )
  const best = fits.reduce((a, b) => (b.count > a.count ? b : a), {
    network: networks[0]!,
    prefix: '',
    count: 0,
  })
  if (best.count > 0) return best
  const seen = networks.flatMap(({ tensors }) => [...tensors.keys()])
  const like = seen.length
    ? `its names are like ${seen.slice(0, 3).map(shortName).join(', ')}`
    : 'it is empty'
  throw new TrexError(`${path} has no weights of this encoder: ${like}`, {
    hint: `the encoder's are like ${[...own.keys()].slice(0, 3).join(', ')} (torchvision's, timm's and DINO's names)`,
  })
}

interface Prefixed {
  readonly prefix: string
  /** The names that begin with it. */
  readonly names: readonly string[]
}

/** All chains of known prefixes that some name begins with, the empty one first. */
function prefixesOf(names: readonly string[], before = '', level = 0): Prefixed[] {
  if (level === MAX_PREFIXES) return [{ prefix: before, names }]
  const longer = PREFIXES.flatMap((prefix) => {
    const chain = before + prefix
    const within = names.filter((name) => name.startsWith(chain))
    return within.length ? prefixesOf(within, chain, level + 1) : []
  })
  return [{ prefix: before, names }, ...longer]
}

function misfit(name: string, tensor: Tensor, shape: readonly number[] | undefined): string[] {
  if (shape === undefined || `${shape}` === `${tensor.shape}`) return []
  const square = shape.length === 3 && shape[1]! > 1 && Number.isInteger(Math.sqrt(shape[1]! - 1))
  if (name === POSITIONS && square && shape[0] === 1 && shape[2] === tensor.size(2)) return []
  return [`${name} is [${shortName(`${shape}`)}], not [${tensor.shape}]`]
}

/** Patches a side of a position embedding [1, 1 + side^2, D]. */
const sideOf = ({ shape }: Tensor): number => Math.sqrt((shape[1] ?? 1) - 1)

const HALVES: Partial<Record<RawTensor['dtype'], DType>> = { F16: 'float16', BF16: 'bfloat16' }

function tensorOf(raw: RawTensor, what: string): Tensor {
  const dtype = HALVES[raw.dtype]
  try {
    return fromTypedArray(typedArrayOf(raw), raw.shape, dtype ? { dtype } : {})
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw new TrexError(`${what} has elements of type ${raw.dtype}, which are no weights`, { cause })
  }
}

function unlike(path: string, problems: readonly string[]): TrexError {
  const shown = problems.slice(0, SHOWN).map((problem) => `  ${problem}`)
  const more = problems.length > SHOWN ? [`  and ${problems.length - SHOWN} more`] : []
  return new TrexError([`${path} does not fit the encoder:`, ...shown, ...more].join('\n'), {
    hint: 'name the encoder it is of with --encoder; --set stem=imagenet or vit.patchSize decide the first layer',
  })
}
