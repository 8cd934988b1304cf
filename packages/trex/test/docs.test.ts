import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { resolveSettings } from '../src/config.js'
import { RECIPES } from '../src/recipes.js'
import { TRANSFER_SETS } from '../src/transfer/datasets/index.js'
import { makeImages, TINY, trex } from './support/trex.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (name: string) => readFileSync(join(root, 'docs', name), 'utf8')
const blocks = (text: string, language: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1]!)
const commands = (text: string) => blocks(text, 'sh').flatMap((block) => block.trim().split('\n'))

const dir = mkdtempSync(join(tmpdir(), 'trex-docs-'))
beforeAll(async () => {
  await makeImages(join(dir, 'photos'), { classes: 3, perClass: 8 })
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** The words of a command as a shell splits them: quotes hold words together. */
const words = (line: string) => [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2]!)

/** Runs a command of the page, which must do what it says and end well. */
async function runs(line: string): Promise<void> {
  const [, program, ...args] = words(line.replace(/ > \S+$/, ''))
  expect(program).toBe('trex')
  const { status, stderr } = await trex(args, { cwd: dir })
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  const out = args[args.indexOf('--out') + 1]
  if (args.includes('--out')) expect(existsSync(join(dir, out!))).toBe(true)
}

/** What the page's program prints, or another one of its programs. */
async function printed(text: string, which = 0): Promise<string> {
  const program = blocks(text, 'js')[which]
  const { stdout } = await promisify(execFile)('node', ['--input-type=module', '-e', program!], { cwd: dir })
  return stdout.trim()
}

describe('docs/data.md', () => {
  const text = read('data.md')
  test('has commands', () => expect(commands(text).length).toBeGreaterThanOrEqual(6))
  test.each(commands(text))('%s', runs)

  test('its program prints what a batch holds', async () => {
    const [first, ...rest] = (await printed(text)).split('\n')
    expect(first).toBe(`[ ${4 * 3 * 32 * 32}, ${8 * 4 * 3 * 16 * 16} ] 4`)
    expect(rest).toHaveLength(4) // 21 images
  })
})

describe('docs/datasets.md', () => {
  const text = read('datasets.md')
  test.each(commands(text))('%s', runs)

  test('its table of sets is that of the code', () => {
    const number = (value: number) => value.toLocaleString('en')
    const rows = TRANSFER_SETS.map(({ name, title, counts, split, probe, multiLabel, role, licence }) => [
      `\`${name}\``,
      title,
      ...(counts ? [counts.classes, counts.trainval, counts.test].map(number) : ['any', 'any', 'any']),
      split,
      multiLabel ? `${probe}, multi-label` : probe,
      role,
      licence,
    ])
    const found = [...text.matchAll(/^\| (`.*) \|$/gm)].map(([, cells]) => cells!.split(' | '))
    expect(found).toEqual(rows)
  })

  test('it says of each set what the code says', () => {
    const found = [...text.matchAll(/^### ([^\n]*)\n\n```text\n(.*?)\n```$/gms)].flatMap(([, names, how]) =>
      names!.split(', ').map((name) => [name, how]),
    )
    expect(found).toEqual(TRANSFER_SETS.map(({ name, how }) => [`\`${name}\``, how]))
  })

  test('its program prints what it says', async () =>
    expect(await printed(text)).toBe('13 { classes: 47, trainval: 3760, test: 1880 }'))
})

describe('docs/evaluation.md', () => {
  const text = read('evaluation.md')
  beforeAll(() => rmSync(join(dir, 'run'), { recursive: true, force: true }))
  test('has commands', () => expect(commands(text).length).toBeGreaterThanOrEqual(5))
  test.each(commands(text))('%s', runs)

  test('its program prints classes', async () =>
    expect(await printed(text)).toBe('Int32Array(2) [ 0, 1 ] Int32Array(2) [ 0, 1 ]'))
})

describe('docs/models.md', () => {
  const text = read('models.md')
  beforeAll(async () => {
    const run = [...TINY, '--out', 'runs/photos']
    expect((await trex(['train', 'photos', ...run], { cwd: dir })).status).toBe(0)
    const golden = (name: string) => join(root, 'packages/trex/test/golden/pth', name)
    copyFileSync(golden('encoder-torchvision.pth'), join(dir, 'resnet18.pth'))
    copyFileSync(golden('encoder-moco.pth'), join(dir, 'moco.pth'))
  })
  test.each(commands(text))('%s', runs)

  test('its program prints what is in a file', async () =>
    expect(await printed(text)).toBe("resnet18 [ 64, 3, 7, 7 ] [ 'fc.weight', 'fc.bias' ]\n512"))

  test('its program that embeds prints the shape, what is alike, and the class', async () =>
    expect(await printed(text, 2)).toBe('[ 2, 512 ]\n1.00 1\none'))
})

describe('docs/features.md', () => {
  const text = read('features.md')
  beforeAll(() => rmSync(join(dir, 'run'), { recursive: true, force: true }))
  test('has commands', () => expect(commands(text).length).toBeGreaterThanOrEqual(5))
  test.each(commands(text))('%s', runs)

  test('its program prints features', async () =>
    expect(await printed(text)).toBe(
      "Float32Array(4) [ 1, 2, 3, 4 ] 2 Int32Array(2) [ 0, 1 ] [ 'cat/1.jpg', 'dog/1.jpg' ]",
    ))
})

describe('docs/transfer.md', () => {
  const text = read('transfer.md')
  beforeAll(async () => {
    for (const part of ['train', 'test']) {
      await makeImages(join(dir, 'sets/pebbles', part), { classes: 3, perClass: 8 })
      await makeImages(join(dir, 'sets/twigs', part), { classes: 2, perClass: 8 })
    }
    const tiny = [...TINY, '--out', 'transferred']
    expect((await trex(['train', 'photos', ...tiny], { cwd: dir })).status).toBe(0)
  })
  test('has commands', () => expect(commands(text).length).toBe(3))
  test.each(commands(text))('%s', runs)
})

describe('docs/training.md', () => {
  const text = read('training.md')

  test('its table of recipes is that of the code', () => {
    const rows = [...text.matchAll(/^\| `([\w-]+)` \| (.*) \|$/gm)]
      .filter(([, name]) => RECIPES.has(name!))
      .map(([, name, cells]) => [name, ...cells!.split(/ ?\| ?/).slice(0, 4)])
    const crops = (group: { count: number; size: number; scale: readonly number[] } | null) =>
      group
        ? `${group.count} x ${group.size} px, ${group.scale.map((share) => Math.round(100 * share)).join('-')} %`
        : 'none'
    const expected = [...RECIPES.values()].map((recipe) => [
      recipe.recipe,
      recipe.projector ? String(recipe.projector.layers) : 'no projector',
      recipe.onlineClassMeans
        ? 'online class means'
        : `learned${recipe.temperature === 0 ? ', plain softmax' : ''}`,
      crops(recipe.globalCrops),
      crops(recipe.localCrops),
    ])
    expect(rows).toEqual(expected)
    for (const { epochs, batchSize, optimizer } of RECIPES.values())
      expect([epochs, batchSize, optimizer.name, optimizer.warmupEpochs, optimizer.lr]).toEqual([
        ...[100, 256, 'sgd', 10, 0.1],
      ])
  })

  test('its settings file is one', () => {
    const [file] = blocks(text, 'yaml')
    expect(resolveSettings({ flags: parse(file!) })).toMatchObject({
      imageSize: 96,
      localCrops: null,
      optimizer: { lr: 0.05 },
    })
  })

  test('its flags are settings', async () => {
    for (const [, flag, setting] of text.matchAll(/^\| `(--[^`]+)` \| `([\w.]+)` \|/gm)) {
      const [, value] = flag!.split(' ')
      const { stdout } = await trex(['train', ...flag!.split(' '), '--print-config', '--json'])
      const found = setting!.split('.').reduce((group, key) => group[key], JSON.parse(stdout))
      expect(String(found)).toBe(value ?? 'true')
    }
  })

  test('its error is what is printed', async () => {
    const [, line, error] = /^\$ trex (.*)\n((?:.*\n)*?)```/m.exec(text)!
    expect((await trex(line!.split(' '))).stderr).toBe(error)
  })
})
