/** The part of a data set that a name stands for. */
export type Part = 'train' | 'val' | 'test'

const WORDS: ReadonlyMap<string, Part> = new Map([
  ['train', 'train'],
  ['training', 'train'],
  ['trainset', 'train'],
  ['val', 'val'],
  ['valid', 'val'],
  ['validation', 'val'],
  ['valset', 'val'],
  ['test', 'test'],
  ['testing', 'test'],
  ['testset', 'test'],
])

/** The part that a word stands for. */
export const partOfWord = (word: string): Part | null => WORDS.get(word.toLowerCase()) ?? null

/** The part that a folder's whole name stands for, with a number at most: train, val2017, Validation. */
export const partOfFolder = (name: string): Part | null => partOfWord(name.replace(/[-_.]?\d+$/, ''))

/** Which of the folders at the top of a data set are its parts. */
export interface PartNames {
  readonly train: string
  readonly val: string | null
  /** The others, which are left out. */
  readonly others: string[]
}

/**
 * The parts among the folders of a data set: one for training and one for validation, beside whatever else; or one for
 * training that is alone, beside tests only, or has nothing but folders itself. Null where the folders are classes.
 */
export function findParts(
  names: Iterable<string>,
  hasFoldersAlone: (name: string) => boolean,
): PartNames | null {
  const all = [...names]
  const of = (part: Part | null) => all.filter((name) => partOfFolder(name) === part)
  const [[train, ...trains], [val = null, ...vals], others] = [of('train'), of('val'), of(null)]
  if (train === undefined || trains.length > 0 || vals.length > 0) return null
  if (val === null && others.length > 0 && !hasFoldersAlone(train)) return null
  return { train, val, others: [...others, ...of('test')].sort() }
}
