import { createHash } from 'node:crypto'
import type { EmojiStyle, Icon, IconSet } from './iconSets.js'

/** One emoji: the class name, its Unicode group, and its drawing in every style. */
export interface Emoji {
  name: string
  group: string
  drawings: Record<EmojiStyle, Icon>
}

/**
 * Emoji that are told apart only by what augmentation changes on purpose, or by text. Two classes that
 * look the same after a flip, a hue shift or a tight crop would teach nothing and blur the figures.
 */
const confusable: readonly (readonly [why: string, names: RegExp])[] = [
  ['a drawing in five skin tones', /-skin-tone$/],
  ['the hands of a clock', /-(oclock|thirty)$/],
  ['the phase of the moon', /^(first|last)-quarter-moon$|^wa[nx]ing-|^last-quarter-moon-face$/],
  ['colour alone', /^(black|blue|green|purple|yellow)-heart$|^(blue|green|orange)-book$|^dvd$|^heart-suit$/],
  ['a digit or a currency sign', /^(2nd|3rd)-place-medal$|^(euro|pound|yen)-banknote$|-with-yen$/],
  ['left or right', /^magnifying-glass-tilted-right$|^right-facing-fist$|^left-speech-bubble$/],
  ['up or down', /^chart-decreasing$|^outbox-tray$|-lowered-flag$|^open-mailbox-/],
  ['another thing: OpenMoji has the wheel of a mouse', /^scroll$/],
  ['a small detail', /^(muted-speaker|speaker-(low|medium)-volume|camera-with-flash|unlocked)$/],
  ['a small detail', /^(mobile-phone-with-arrow|incoming-envelope|envelope-with-arrow)$/],
  ['a small detail', /^(hourglass-not-done|sun-behind-(small|large)-cloud|globe-showing-a.*)$/],
]

/** Groups left out: signs, letters and arrows on coloured squares, and the five flags all six sets share. */
const excludedGroups: ReadonlySet<string> = new Set(['Symbols', 'Flags'])

/**
 * The emoji that all sets draw, in name order, matched by their present Unicode name or, where a set
 * still uses an older one, by the aliases of the first set and of that set.
 *
 * Left out are whole groups of signs, near-duplicates (`confusable`), and names that a set has used for
 * two different things (in two sets "cricket" is the game). Names and groups are those of the first set.
 */
export function commonEmoji(sets: readonly IconSet[]): Emoji[] {
  const [reference] = sets
  if (!reference) return []
  const otherNames = new Map<string, string[]>()
  for (const [alias, name] of reference.aliases) {
    otherNames.set(name, [...(otherNames.get(name) ?? []), alias])
  }
  const found = [...reference.groups.keys()].flatMap((name) => {
    const names = [name, ...(otherNames.get(name) ?? [])]
    const own = sets.map((set) => names.map((n) => (set.icons.has(n) ? n : set.aliases.get(n))).find(Boolean))
    return own.every((n) => n !== undefined) ? [{ name, own }] : []
  })
  const uses = new Map<string, number>()
  const key = (set: IconSet, icon: string) => `${set.style}/${icon}`
  for (const { own } of found) {
    for (const [i, icon] of own.entries()) {
      uses.set(key(sets[i]!, icon), (uses.get(key(sets[i]!, icon)) ?? 0) + 1)
    }
  }
  return found
    .filter(({ own }) => own.every((icon, i) => uses.get(key(sets[i]!, icon)) === 1))
    .filter(({ name }) => !confusable.some(([, names]) => names.test(name)))
    .map(({ name, own }) => ({
      name,
      group: reference.groups.get(name)!,
      drawings: Object.fromEntries(own.map((icon, i) => [sets[i]!.style, sets[i]!.icons.get(icon)!])),
    }))
    .filter((emoji): emoji is Emoji => !excludedGroups.has(emoji.group))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Items in an order that depends on the seed and the names alone, not on what else there is. */
export function hashOrder<T extends { name: string }>(items: readonly T[], seed: number): T[] {
  const hash = (name: string) => createHash('sha256').update(`${seed}:${name}`).digest('hex')
  return items
    .map((item) => ({ item, hash: hash(item.name) }))
    .sort((a, b) => (a.hash < b.hash ? -1 : 1))
    .map(({ item }) => item)
}

/**
 * The same order, interleaved so that every prefix holds the groups in their overall proportions: two
 * adjacent slices of it are disjoint and equally varied.
 */
export function stratifiedOrder(emoji: readonly Emoji[], seed: number): Emoji[] {
  const groups = [...new Set(emoji.map((e) => e.group))].map((g) => emoji.filter((e) => e.group === g))
  return groups
    .flatMap((members) => hashOrder(members, seed).map((e, i) => ({ e, place: (i + 0.5) / members.length })))
    .sort((a, b) => a.place - b.place || (a.e.name < b.e.name ? -1 : 1))
    .map(({ e }) => e)
}
