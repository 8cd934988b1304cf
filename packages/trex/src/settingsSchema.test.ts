import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { resolveSettings } from './config.js'
import { RECIPES } from './recipes.js'
import { settingsJsonSchema, settingsSchemaText } from './settingsSchema.js'

const text = readFileSync(new URL('../settings.schema.json', import.meta.url), 'utf8')
type Node = { description?: string; properties?: Record<string, Node>; anyOf?: Node[]; items?: Node }

/** Every setting of the schema by its path. */
function* settingsOf(node: Node, path = ''): Iterable<[string, Node]> {
  for (const [key, value] of Object.entries(node.properties ?? {})) {
    const here = path ? `${path}.${key}` : key
    yield [here, value]
    for (const part of [value, ...(value.anyOf ?? []), ...(value.items ? [value.items] : [])])
      yield* settingsOf(part, here)
  }
}

describe('settings.schema.json', () => {
  test('is what the code says (else: npm run schema)', () => expect(text).toBe(settingsSchemaText()))

  test('is a subpath of the package', () => {
    const path = createRequire(import.meta.url).resolve('trex/settings.schema.json')
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  test('says what every setting means, in a sentence', () => {
    const found = new Map(settingsOf(settingsJsonSchema() as Node))
    const paths = (value: object, path = ''): string[] =>
      Object.entries(value).flatMap(([key, inner]) => [
        path + key,
        ...(inner && typeof inner === 'object' && !Array.isArray(inner)
          ? paths(inner, `${path}${key}.`)
          : []),
      ])
    expect([...found.keys()]).toEqual(expect.arrayContaining(paths(RECIPES.get('trex')!)))
    const mute = [...found].filter(([, { description }]) => !/^[A-Z].*\.$/.test(description ?? ''))
    expect(mute.map(([path]) => path)).toEqual([])
  })

  test('accepts recipes and parts of settings, refuses other keys and values', () => {
    const schema = z.fromJSONSchema(JSON.parse(text))
    const accepts = (value: unknown) => schema.safeParse(value).success
    for (const recipe of RECIPES.values()) expect(accepts(recipe)).toBe(true)
    const good = [
      {},
      { optimizer: { lr: 0.2 } },
      { localCrops: null },
      { projector: { layers: 1 } },
      { workers: 'auto', logEvery: 5 },
      { extraCrops: [{ count: 2, size: 48, scale: [0.1, 0.5] }] },
    ]
    const bad = [
      { optimzer: {} },
      { optimizer: { lrr: 1 } },
      { epochs: 1.5 },
      { epochs: '3' },
      { encoder: 'resnet5' },
      { recipe: 'trx' },
      { augment: null },
      { globalCrops: { scale: [0.1] } },
      { workers: -1 },
      { extraCrops: [{ count: 2 }] },
    ]
    expect(good.filter((value) => !accepts(value))).toEqual([])
    expect(bad.filter(accepts)).toEqual([])
    // the program decides the same of each
    const takes = (value: object) => {
      try {
        resolveSettings({ flags: value })
        return true
      } catch {
        return false
      }
    }
    expect([...good.map(takes), ...bad.map(takes)]).toEqual([
      ...good.map(() => true),
      ...bad.map(() => false),
    ])
  })
})
