import type { Sample } from './sample.js'
import type { ShardMember } from './shardIndex.js'

/** An image of a data set in shards. */
export interface ShardImage {
  /** The shard's place in the list of shards. */
  readonly shard: number
  readonly archive: string
  readonly member: ShardMember
  /** What its label files say: KEY.cls and KEY.json. */
  readonly cls?: ShardMember
  readonly json?: ShardMember
}

/** An image with its class's place. */
export interface LabelledImage {
  readonly image: ShardImage
  readonly label: number
}

/** Classes, and the images of each part; `val` is null where the data does not say what is for validation. */
export interface LabelledParts {
  readonly classes: readonly string[]
  readonly train: readonly LabelledImage[]
  readonly val: readonly LabelledImage[] | null
  readonly ignored: Readonly<Record<string, number>>
}

/** What messages call an image. */
export const nameOf = ({ archive, member }: ShardImage): string => `${archive}/${member.name}`

/** What is said of an image that must not be used. */
export function problemOf(image: ShardImage): Pick<Sample, 'problem'> {
  const { problem } = image.member
  if (problem === undefined) return {}
  return {
    problem: {
      message: `${nameOf(image)} is not used: ${problem}`,
      hint: 'remove it, or pack the archive again: tar --dereference --hard-dereference -cf NEW.tar -C FOLDER .',
    },
  }
}
