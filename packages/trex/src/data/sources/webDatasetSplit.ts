import { type Part, partOfFolder, partOfWord } from './partNames.js'

/** The part that a shard's file name has as a word, else the folder it lies in: imagenet-train-000.tar, val/000.tar. */
export function partOfShard(shown: string): Part | null {
  const parts = shown.split(/[/\\]/)
  const file = parts.at(-1)!.replace(/\?\.\.\.$/, '')
  for (const word of file.split(/[^a-z]+/i)) {
    const part = partOfWord(word)
    if (part !== null) return part
  }
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
