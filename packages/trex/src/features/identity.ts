import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { Sample } from '../data/sources/sample.js'
import { sampleName } from '../train/run.js'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const three = z.tuple([z.number(), z.number(), z.number()])

/** What decides features: of two extractions with the same they are the same but for last digits of other machines. */
export const identitySchema = z.strictObject({
  /** `encoderFingerprint` of the encoder. */
  model: sha256,
  /** `dataFingerprint` of the images. */
  data: sha256,
  /** How an image becomes the encoder's input: shortest side, centred crop (pixels), filter, and mean and std. */
  transform: z.strictObject({
    resize: z.number(),
    crop: z.number(),
    filter: z.enum(['bilinear', 'bicubic']),
    mean: three,
    std: three,
    autoOrient: z.boolean(),
  }),
  precision: z.enum(['fp32', 'bf16', 'fp16']),
})

/** As `identitySchema` has it. */
export type FeatureIdentity = Readonly<z.infer<typeof identitySchema>>

/** SHA-256 of an identity: the name of its features in a cache. */
export const identityKey = (identity: FeatureIdentity): string =>
  createHash('sha256')
    .update(JSON.stringify(identitySchema.parse(identity)))
    .digest('hex')

/** The parts in which two identities differ. */
export const identityChanges = (a: FeatureIdentity, b: FeatureIdentity): string[] =>
  (['model', 'data', 'transform', 'precision'] as const).filter(
    (part) => !isDeepStrictEqual(a[part], b[part]),
  )

/**
 * SHA-256 over the classes and, image by image, its name in the data set, its label, and what tells whether its content
 * is the same: size and time of change of its file (of a shard: and its place in it), of pixels in memory their bytes,
 * on a server the address and place. Images are not read: one that is replaced with its time kept goes unnoticed.
 * Without `times` a copy of the data has the same one.
 */
export function dataFingerprint(
  root: string,
  samples: readonly Sample[],
  classes: readonly string[],
  {
    times = true,
    nameOf = (sample) => sampleName(root, sample),
  }: { readonly times?: boolean; readonly nameOf?: ((sample: Sample) => string) | undefined } = {},
): string {
  const hash = createHash('sha256').update(`${JSON.stringify(classes)}\n`)
  const archives = new Map<string, string>()
  const archive = (path: string) => {
    const known = archives.get(path) ?? fileState(path, times)
    archives.set(path, known)
    return known
  }
  for (const sample of samples) {
    hash.update(`${JSON.stringify(nameOf(sample))} ${sample.label} `)
    const { at } = sample
    if (at === undefined) hash.update(`${fileState(sample.path, times)}\n`)
    else if (at.kind === 'slice') hash.update(`${archive(at.path)} ${at.offset} ${at.length}\n`)
    else if (at.kind === 'remote') hash.update(`${at.url} ${at.offset} ${at.length}\n`)
    else {
      const bytes = at.width * at.height * at.channels
      hash.update(`${at.width} ${at.height} `).update(new Uint8Array(at.memory, at.offset, bytes))
    }
  }
  return hash.digest('hex')
}

/** Bytes and time of change in ms; a file that is not there is bad, which the extraction will say. */
function fileState(path: string, times: boolean): string {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats) return 'missing'
  return times ? `${stats.size} ${stats.mtimeMs}` : `${stats.size}`
}
