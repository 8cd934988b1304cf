import { type DType, fromTypedArray, noGrad, type Tensor, tidy } from 'trex-torch'
import { type RawTensor, typedArrayOf } from 'trex-torch/safetensors'
import { describeReport, type EncoderReport } from '../checkpoints/encoderReport.js'
import { reportOf } from '../checkpoints/encoderWeights.js'
import { findEncoder } from '../checkpoints/findEncoder.js'
import { lineOf } from '../checkpoints/tree.js'
import { TrexError } from '../errors.js'
import type { Encoder } from '../method/encoder.js'
import { OnlineClassMeans } from '../method/onlineClassMeans.js'
import { positionsAt } from '../method/vitPositions.js'
import { type EncoderFile, openEncoderFile } from './encoderFile.js'
import type { Learner } from './learner.js'

/** What an encoder was initialised with. */
export interface InitReport extends EncoderReport {
  /** The position embedding's patches a side in the file and here, when they differ. */
  readonly interpolated: readonly [from: number, to: number] | null
}

const POSITIONS = 'pos_embed'

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
 * Copies the encoder weights of a run, or of a file that `openCheckpoint` knows, into an encoder. Of names that fit equally well
 * a teacher's are taken before a student's. A position embedding of another grid is interpolated as the encoder itself
 * would for images of that size.
 * @throws TrexError when the file cannot be read, or lists what the encoder needs and the file lacks or has in another
 * shape; no weight has changed then.
 */
export function loadEncoder(encoder: Encoder, path: string): InitReport {
  const own = encoder.stateDict()
  using file = openEncoderFile(path)
  const found = findEncoder(file.networks, new Map([...own].map(([name, { shape }]) => [name, shape])))
  if (!found) throw unknown(file, own)
  const { network, prefix, taken, missing, misfits } = found
  const absent = missing.map((name) => `${name} is missing`)
  const problems = misfits.flatMap((name) =>
    misfit(name, own.get(name)!, network.tensors.get(prefix + name)!.shape),
  )
  if (absent.length || problems.length) throw unlike(file.path, [...absent, ...problems])

  let interpolated: InitReport['interpolated'] = null
  tidy(() =>
    noGrad(() => {
      const values = taken.map((name) =>
        tensorOf(network.read(prefix + name), `${file.path}: ${prefix}${name}`),
      )
      for (const [i, name] of taken.entries()) {
        const [target, value] = [own.get(name)!, values[i]!]
        const [from, to] = [value, target].map(sideOf) as [number, number]
        if (name === POSITIONS && from !== to) interpolated = [from, to]
        target.copy_(name === POSITIONS ? positionsAt(value.to({ dtype: 'float32' }), [to, to]) : value)
      }
    }),
  )
  return { ...reportOf(file.path, found), interpolated }
}

/** The report in words, a line each. */
export function describeInit(report: InitReport): string[] {
  const [from, to] = report.interpolated ?? []
  const line = `  ${POSITIONS} interpolated from ${from}x${from} to ${to}x${to} patches`
  return [...describeReport(report), ...(report.interpolated ? [line] : [])]
}

const SHOWN = 12

/** A position embedding of another grid fits: it is interpolated. */
function misfit(name: string, tensor: Tensor, shape: readonly number[]): string[] {
  const square = shape.length === 3 && shape[1]! > 1 && Number.isInteger(Math.sqrt(shape[1]! - 1))
  if (name === POSITIONS && square && shape[0] === 1 && shape[2] === tensor.size(2)) return []
  return [`${name} is [${lineOf(`${shape}`)}], not [${tensor.shape}]`]
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

function unknown({ path, networks }: EncoderFile, own: ReadonlyMap<string, Tensor>): TrexError {
  const seen = networks.flatMap(({ tensors }) => [...tensors.keys()].slice(0, SHOWN))
  const like = seen.length ? `its names are like ${seen.slice(0, 3).map(lineOf).join(', ')}` : 'it is empty'
  return new TrexError(`${path} has no weights of this encoder: ${like}`, {
    hint: `the encoder's are like ${[...own.keys()].slice(0, 3).join(', ')} (torchvision's, timm's and DINO's names)`,
  })
}

function unlike(path: string, problems: readonly string[]): TrexError {
  const shown = problems.slice(0, SHOWN).map((problem) => `  ${problem}`)
  const more = problems.length > SHOWN ? [`  and ${problems.length - SHOWN} more`] : []
  return new TrexError([`${path} does not fit the encoder:`, ...shown, ...more].join('\n'), {
    hint: 'name the encoder it is of with --encoder; --set stem=imagenet or vit.patchSize decide the first layer',
  })
}
