/** Finds places of equal content; a digest and a number are kept for each. */
export interface DuplicateFinder {
  add(place: number, digest: string): void
  /** The places of each content that is there more than once, ascending. */
  groups(): number[][]
}

export function createDuplicateFinder(): DuplicateFinder {
  const first = new Map<string, number>()
  const repeated = new Map<string, number[]>()
  return {
    add(place, digest) {
      const known = first.get(digest)
      if (known === undefined) return void first.set(digest, place)
      const group = repeated.get(digest)
      if (group) group.push(place)
      else repeated.set(digest, [known, place])
    },
    groups: () =>
      [...repeated.values()].map((group) => group.sort((a, b) => a - b)).sort((a, b) => a[0]! - b[0]!),
  }
}
