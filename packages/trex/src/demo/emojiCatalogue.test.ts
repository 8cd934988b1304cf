import { beforeAll, expect, test } from 'vitest'
import { commonEmoji, type Emoji, stratifiedOrder } from './emojiCatalogue.js'
import { emojiStyles, type IconSet, loadIconSet } from './iconSets.js'

let sets: IconSet[]
let emoji: Emoji[]
beforeAll(async () => {
  sets = await Promise.all(emojiStyles.map((style) => loadIconSet(style)))
  emoji = commonEmoji(sets)
})
const find = (name: string) => emoji.find((e) => e.name === name)

test('an emoji that a set knows by an older name is found there', () => {
  const [, , , , , emojione] = sets
  expect(find('panda')?.drawings.emojione).toBe(emojione!.icons.get('panda-face'))
  expect(find('bullseye')?.drawings['noto-v1']).toBe(sets[1]!.icons.get('direct-hit'))
})

test('a name that stands for two things in a set is left out', () => {
  // emojione's "cricket" is the game, OpenMoji's own extra "scroll" the wheel of a mouse.
  for (const name of ['cricket', 'cricket-game', 'scroll']) expect(find(name)?.name).toBeUndefined()
})

test('near-duplicates and signs are left out, one of each family stays', () => {
  const names = emoji.map((e) => e.name)
  expect(names.filter((n) => /skin-tone|oclock|keycap|button|flag-for|arrow$/.test(n))).toEqual([
    'bow-and-arrow',
    'heart-with-arrow',
  ])
  expect(names.filter((n) => /^(black|blue|green|purple|red|yellow)-heart$/.test(n))).toEqual(['red-heart'])
  expect(names).toContain('watermelon')
})

test('seven Unicode groups remain, none small', () => {
  const sizes = new Map<string, Emoji[]>()
  for (const e of emoji) sizes.set(e.group, [...(sizes.get(e.group) ?? []), e])
  expect([...sizes.keys()].sort()).toEqual([
    'Activities',
    'Animals & Nature',
    'Food & Drink',
    'Objects',
    'People & Body',
    'Smileys & Emotion',
    'Travel & Places',
  ])
  expect(Math.min(...[...sizes.values()].map((m) => m.length))).toBeGreaterThan(50)
  expect(new Set(emoji.map((e) => e.name)).size).toBe(emoji.length)
})

test('every prefix of the order holds the groups in proportion', () => {
  const order = stratifiedOrder(emoji, 3)
  expect([...order].sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(emoji)
  for (const group of new Set(emoji.map((e) => e.group))) {
    const share = emoji.filter((e) => e.group === group).length / emoji.length
    for (const n of [50, 200, 500]) {
      const inPrefix = order.slice(0, n).filter((e) => e.group === group).length
      expect(Math.abs(inPrefix - n * share)).toBeLessThanOrEqual(1)
    }
  }
})

test('another seed gives another order', () => {
  const first = (seed: number) => stratifiedOrder(emoji, seed).slice(0, 20)
  expect(first(1)).toEqual(first(1))
  expect(first(1)).not.toEqual(first(2))
})
