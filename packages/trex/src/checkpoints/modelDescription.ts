import { z } from 'zod'
import { resnetNames, vitNames } from '../method/architectures.js'
import { CheckpointError } from './checkpointError.js'

const three = <T extends z.ZodType>(number: T) => z.tuple([number, number, number])
const positive = z.number().int().positive()
/** More would fill memory before anything is computed: one image of 4096 px takes 200 MB. */
const MOST_PIXELS = 4096

const preprocess = z.object({
  resize: positive.max(4 * MOST_PIXELS),
  crop: positive.max(MOST_PIXELS),
  filter: z.enum(['bilinear', 'bicubic']),
  mean: three(z.number()),
  std: three(z.number().positive()),
})

/** What is wrong with a preprocessing, in words; undefined: nothing. */
export function preprocessFault(value: unknown): string | undefined {
  const { error } = preprocess.safeParse(value)
  return error && z.prettifyError(error)
}

const description = z.object({
  version: z.literal(1),
  /** What computes the features; null: a graph that is run as it is. */
  encoder: z.enum([...resnetNames, ...vitNames]).nullable(),
  /** Of a ResNet. */
  stem: z.enum(['imagenet', 'small']).optional(),
  /** Of a vision transformer. */
  vit: z.object({ patchSize: positive, pooling: z.enum(['class', 'mean']) }).optional(),
  featureDim: positive,
  /** From a decoded image to the input: shortest side to `resize`, centred `crop`, (x / 255 - mean) / std. */
  preprocess,
  /** Names of what a graph gives, the first being `features`. */
  outputs: z.array(z.enum(['features', 'embedding', 'logits'])).default(['features']),
  /** Names of the classes, in the order of `logits`. */
  classes: z.array(z.string()).optional(),
})

/** What must be known beside the weights to get the same numbers: it is stored in every file of a model. */
export type ModelDescription = z.infer<typeof description>

/** The key of the description, as JSON, in the metadata of safetensors and ONNX files. */
export const DESCRIPTION_KEY = 'trex.model'

/** The description in a file's metadata, undefined when it has none. @throws Error that tells what is wrong with it. */
export function readDescription(metadata: Readonly<Record<string, string>>): ModelDescription | undefined {
  const text = Object.hasOwn(metadata, DESCRIPTION_KEY) ? metadata[DESCRIPTION_KEY] : undefined
  if (text === undefined) return undefined
  const { data, error } = description.safeParse(parsed(text))
  if (data) return data
  throw new Error(`its ${DESCRIPTION_KEY} is wrong: ${z.prettifyError(error)}`)
}

/** The description that a file carries, undefined when it has none. @throws CheckpointError when it is wrong. */
export function descriptionOf({
  name,
  metadata,
}: {
  readonly name: string
  readonly metadata: Readonly<Record<string, string>>
}): ModelDescription | undefined {
  try {
    return readDescription(metadata)
  } catch (cause) {
    throw new CheckpointError(name, (cause as Error).message, { cause, hint: 'Write the file again.' })
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
