/** The part of a data set that a name stands for. */
export type Part = 'train' | 'val' | 'test'

const WORDS: Record<string, Part> = {
  train: 'train',
  training: 'train',
  trainset: 'train',
  val: 'val',
  valid: 'val',
  validation: 'val',
  valset: 'val',
  test: 'test',
  testing: 'test',
  testset: 'test',
}

/** The part that a folder's whole name stands for, with a number at most: train, val2017, validation. */
export function partOfFolder(name: string): Part | null {
  return WORDS[name.replace(/[-_.]?\d+$/, '').toLowerCase()] ?? null
}

/** The part that a shard's file name has as a word, else the folder it lies in: imagenet-train-000.tar, val/000.tar. */
export function partOfShard(shown: string): Part | null {
  const parts = shown.split(/[/\\]/)
  const file = parts.at(-1)!.replace(/\?\.\.\.$/, '')
  for (const word of file.toLowerCase().split(/[^a-z]+/)) if (WORDS[word]) return WORDS[word]
  return partOfFolder(parts.at(-2) ?? '')
}

/**
 * The parts of shards by their names. Only where some are for training and others are not do names decide: the shards
 * of one archive, whatever it is called, are all its data. Null for a shard whose name says nothing.
 */
export function partsOfShards(shown: readonly string[]): (Part | null)[] | null {
  const parts = shown.map(partOfShard)
  const kinds = new Set(parts.filter((part) => part !== null))
  return kinds.has('train') && kinds.size > 1 ? parts : null
}
