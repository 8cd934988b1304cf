import { readFileSync, statSync } from 'node:fs'
import { parse, stringify } from 'yaml'
import type { z } from 'zod'
import { TrexError } from './errors.js'
import { atEncoder, atImageSize, RECIPES, TREX } from './recipes.js'
import { type Settings, settingsSchema } from './settings.js'
import { didYouMean, suggest } from './suggest.js'

/** Settings of which every part may be left out. */
export type PartialSettings = DeepPartial<Settings>
type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: DeepPartial<T[K]> | undefined }
    : T

/** Where settings come from; later ones win: recipe < configFile < flags < sets. */
export interface SettingsSources {
  /** A name of RECIPES; `trex` when no source names one. */
  readonly recipe?: string | undefined
  /** Path of a YAML (or JSON) file of settings. */
  readonly configFile?: string | undefined
  readonly flags?: PartialSettings | undefined
  /** `path.to.setting=value`, the value as YAML. */
  readonly sets?: readonly string[] | undefined
}

/** Settings with every key that may be given: crops may have an augmentation of their own. */
const KNOWN = {
  ...TREX,
  globalCrops: { ...TREX.augment, ...TREX.globalCrops },
  localCrops: { ...TREX.augment, ...TREX.localCrops },
}

type Values = Readonly<Record<string, unknown>>
interface Layer {
  readonly source: string
  readonly values: Values
}

/**
 * The settings of a run. Crop sizes follow `imageSize` (see atImageSize) and the optimizer's settings the encoder
 * (see atEncoder) where no source gives them. A part
 * of a group that the recipe leaves out (`projector.layers` over `projector: null`) starts from the group of
 * recipe `trex` at the same image size and encoder.
 * @throws TrexError that lists every unknown key, with a suggestion, every wrong value, with where it came from, and
 * every source that cannot be read.
 */
export function resolveSettings(sources: SettingsSources = {}): Settings {
  const { recipe, configFile, flags = {}, sets = [] } = sources
  const broken: TrexError[] = []
  const readable = (read: () => Layer): Layer[] => {
    try {
      return [read()]
    } catch (error) {
      if (!(error instanceof TrexError)) throw error
      broken.push(error)
      return []
    }
  }
  const file = configFile === undefined ? [] : readable(() => readConfig(configFile))
  const single = sets.flatMap((set) => readable(() => parseSet(set)))
  const layers: Layer[] = [
    ...file,
    { source: 'the flags', values: recipe === undefined ? flags : { ...flags, recipe } },
    ...single,
  ]
  const name = lastOf(layers, 'recipe') ?? TREX.recipe
  const known = RECIPES.get(String(name))
  if (!known) broken.unshift(noSuchRecipe(name))
  const base = known ?? TREX
  const imageSize = settingsSchema.shape.imageSize.safeParse(lastOf(layers, 'imageSize')).data
  const encoder = settingsSchema.shape.encoder.safeParse(lastOf(layers, 'encoder')).data
  const optimizer = settingsSchema.shape.optimizer.shape.name.safeParse(
    lastOf(layers, 'optimizer', 'name'),
  ).data
  const patchSize = settingsSchema.shape.vit.shape.patchSize.safeParse(
    lastOf(layers, 'vit', 'patchSize'),
  ).data
  const shaped = (recipe: Settings) => {
    const sized = imageSize === undefined ? recipe : atImageSize(recipe, imageSize)
    return atEncoder(sized, encoder ?? recipe.encoder, { optimizer, patchSize })
  }
  const [start, template] = [shaped(base), shaped(TREX)]
  const merged = layers.reduce<unknown>((settings, { values }) => merge(settings, values, template), start)

  const unknown = layers.flatMap(({ source, values }) => unknownKeys(values, KNOWN, [], source))
  const unused = single.flatMap((layer) => ofOtherOptimizer(layer, own(own(merged, 'optimizer'), 'name')))
  const checked = settingsSchema.safeParse(merged)
  const wrong = (checked.error?.issues ?? [])
    .filter(({ code, path }) => code !== 'unrecognized_keys' || path.length > 1) // others are listed above
    .filter(({ path }) => known || path[0] !== 'recipe') // likewise
    .map((issue) => describe(issue, merged, layers, base.recipe))
  const issues = [...broken.map(({ message }) => message.split('\n')[0]!), ...unknown, ...unused, ...wrong]
  if (broken.length === 1 && issues.length === 1) throw broken[0]
  if (checked.success && issues.length === 0) return checked.data
  const many = issues.length === 1 ? 'a problem' : `${issues.length} problems`
  const more = issues.length > MOST_ISSUES ? [`and ${issues.length - MOST_ISSUES} more`] : []
  const lines = [...issues.slice(0, MOST_ISSUES), ...more].map((line) => `  ${line}`)
  throw new TrexError(`The settings have ${many}:\n${lines.join('\n')}`, {
    hint: 'Settings come from the recipe, --config, flags and --set, in this order; the last one wins.',
  })
}

/** Settings as the YAML text that `configFile` reads back. */
export function settingsYaml(settings: Settings): string {
  return stringify(settings)
}

/** Of a settings file: the time that YAML takes grows with the square of its keys. */
const MOST_BYTES = 1 << 15
/** Problems that an error lists. */
const MOST_ISSUES = 50

function readConfig(path: string): Layer {
  const fail = (what: string, cause?: unknown): never => {
    throw new TrexError(`Cannot use settings file ${path}: ${what}`, {
      hint: 'It is YAML, for instance "optimizer: { lr: 0.2 }".',
      cause,
    })
  }
  let values: unknown
  try {
    const stats = statSync(path)
    if (!stats.isFile()) fail('it is no file.') // a named pipe would wait for a writer
    if (stats.size > MOST_BYTES) fail(`it has ${stats.size} bytes, and settings take a few thousand.`)
    values = parseYaml(readFileSync(path, 'utf8')) ?? {}
  } catch (cause) {
    if (cause instanceof TrexError) throw cause
    return fail((cause as Error).message, cause)
  }
  return isGroup(values) ? { source: path, values } : fail('it holds no settings by name.')
}

/** What a YAML text holds. @throws Error for one that is wrong, or that holds itself. */
function parseYaml(text: string): unknown {
  const value: unknown = parse(text, { logLevel: 'error' })
  try {
    JSON.stringify(value)
  } catch (cause) {
    throw new Error('an alias stands for a part that it is in', { cause })
  }
  return value
}

/** `a.b=c` as the settings `{ a: { b: c } }`. */
function parseSet(text: string): Layer {
  const source = `--set ${text}`
  const fail = (cause?: unknown): never => {
    throw new TrexError(`Cannot read ${source}.`, {
      hint: 'Write --set path.to.setting=value, for instance --set optimizer.lr=0.2.',
      cause,
    })
  }
  const [, path, value] = /^([^=\s]+)=(.+)$/s.exec(text) ?? fail()
  let parsed: unknown
  try {
    parsed = parseYaml(value!)
  } catch (cause) {
    fail(cause)
  }
  const values = path!
    .split('.')
    .reduceRight<unknown>((inner, key) => Object.fromEntries([[key, inner]]), parsed)
  return { source, values: values as Values }
}

function noSuchRecipe(name: unknown): TrexError {
  const names = [...RECIPES.keys()]
  return new TrexError(`There is no recipe ${shown(String(name))}${didYouMean(String(name), names)}.`, {
    hint: `Recipes are ${names.join(', ')}.`,
  })
}

/** `over` laid on `base`, group by group; a group that `base` lacks starts as that of `template`. */
function merge(base: unknown, over: unknown, template: unknown): unknown {
  if (!isGroup(over)) return over
  const start = isGroup(base) ? base : isGroup(template) ? template : {}
  const merged = new Map(Object.entries(start))
  for (const [key, value] of Object.entries(over)) {
    if (value !== undefined) merged.set(key, merge(own(start, key), value, own(template, key)))
  }
  return Object.fromEntries(merged)
}

function unknownKeys(values: Values, template: Values, path: readonly string[], source: string): string[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const known = own(template, key)
    if (known !== undefined)
      return isGroup(value) && isGroup(known) ? unknownKeys(value, known, [...path, key], source) : []
    const prefix = path.map((part) => `${part}.`).join('')
    const near = suggest(key, Object.keys(template))
    const meant = near === undefined ? pathOf(key) : prefix + near
    const question = meant === undefined ? '' : ` (did you mean "${meant}"?)`
    return [`${prefix}${key}: no such setting${question}, in ${source}`]
  })
}

/** The optimizer that a setting belongs to; a file may have those of both, as that of a run has. */
const OPTIMIZER_OF = { sgdMomentum: 'sgd', betas: 'adamw' }

function ofOtherOptimizer({ source, values }: Layer, used: unknown): string[] {
  return Object.entries(OPTIMIZER_OF).flatMap(([key, optimizer]) =>
    own(own(values, 'optimizer'), key) === undefined || used === optimizer
      ? []
      : [`optimizer.${key}: only ${optimizer} has it (see optimizer.name), in ${source}`],
  )
}

/** The path of the setting, in whatever group, whose own name is nearest to `key`. */
function pathOf(key: string): string | undefined {
  const paths = Object.entries(TREX).flatMap(([group, value]): [string, string][] =>
    isGroup(value) ? Object.keys(value).map((name) => [name, `${group}.${name}`]) : [[group, group]],
  )
  const near = suggest(
    key,
    paths.map(([name]) => name),
  )
  return paths.find(([name]) => name === near)?.[1]
}

type Issue = z.core.$ZodIssue

function describe(issue: Issue, merged: unknown, layers: readonly Layer[], recipe: string): string {
  const path = issue.path.map(String)
  const given = path.reduce<unknown>(own, merged)
  const choices = issue.code === 'invalid_value' ? issue.values.map(String) : []
  const meant = typeof given === 'string' ? didYouMean(given, choices) : ''
  const source = layers.findLast(({ values }) => gives(values, path))?.source ?? `recipe ${recipe}`
  const what = issue.message.replace(/^(Invalid|Too)[^:]*: /, '').replace(/, received \w+$/, '')
  return `${path.join('.')} = ${shown(given)}: ${what}${meant}, from ${source}`
}

/** A value as one writes it, of a long one the beginning. */
function shown(value: unknown): string {
  if (typeof value === 'number') return String(value)
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

/** Whether a layer decides the value at a path, by giving it or a whole of which it is part. */
function gives(values: unknown, path: readonly string[]): boolean {
  const [key, ...rest] = path
  if (key === undefined || !isGroup(values)) return true
  const value = own(values, key)
  return value !== undefined && gives(value, rest)
}

function lastOf(layers: readonly Layer[], ...path: readonly string[]): unknown {
  return layers
    .map(({ values }) => path.reduce<unknown>(own, values))
    .findLast((value) => value !== undefined)
}

function own(values: unknown, key: string): unknown {
  return typeof values === 'object' && values !== null && Object.hasOwn(values, key)
    ? (values as Values)[key]
    : undefined
}

function isGroup(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
