import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type EmojiFolders, prepareEmoji } from '../demo/emoji.js'
import { emojiStyles } from '../demo/iconSets.js'
import { TrexError } from '../errors.js'
import { rngFor } from '../rng.js'
import type { Picture } from './pictures.js'
import { type DemoReport, writeReport } from './report.js'

let dir: string
let emoji: EmojiFolders
let names: string[]
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'trex-report-'))
  const split = { seenClasses: 12, unseenClasses: 21, heldOutStyle: 'emojione', seed: 3 } as const
  emoji = await prepareEmoji(join(dir, 'cache'), { size: 96, ...split })
  names = (await readdir(emoji.train)).sort()
})
afterAll(() => rm(dir, { recursive: true, force: true }))

/** A report as the demo might write it: real pictures, made-up but plausible figures. */
async function sample(): Promise<DemoReport> {
  const model = (
    name: string,
    label: string,
    recipe: Record<string, string | number>,
    top: number,
    seed: number,
  ) => {
    const rng = rngFor(seed)
    const curve = Array.from({ length: 480 }, (_, step) => ({
      epoch: Math.floor(step / 16),
      step,
      loss: 6 * Math.exp(-step / 150) + 1.4 - top / 60 + 0.25 * rng.normal(),
      lr: step < 48 ? step / 480 : 0.05 * (1 + Math.cos((Math.PI * (step - 48)) / 432)),
      imagesPerSecond: 212 + 8 * rng.normal(),
    }))
    const validation = Array.from({ length: 30 }, (_, i) => ({
      epoch: i + 1,
      top1: top * (1 - Math.exp(-(i + 1) / 9)) + 0.6 * rng.normal(),
      top5: Math.min(99, 1.5 * top * (1 - Math.exp(-(i + 1) / 7))),
      loss: 6 * Math.exp(-i / 10) + 1.9,
    }))
    return { name, label, recipe, curve, validation, seconds: 391.4 + seed }
  }
  const common = { encoder: 'resnet18', 'projector hidden': 512, epochs: 30, batch: 128, seed: 22 }
  const trainFile = (name: string, style: string) => join(emoji.train, name, `${style}.png`)
  const hits = (query: string, right: number, seed: number) =>
    Array.from({ length: 6 }, (_, i) => {
      const label = i < right ? query : names[(names.indexOf(query) + i + seed) % names.length]!
      const path = trainFile(label, emojiStyles[i % 5]!)
      return { path, label, correct: label === query, similarity: 0.94 - 0.07 * i - 0.01 * seed }
    })
  const crops = names.slice(0, 4).map(async (label, i) => {
    const path = trainFile(label, emojiStyles[i]!)
    return {
      path,
      label,
      global: [await cutOut(path, 64, 0)],
      local: await Promise.all(Array.from({ length: 8 }, (_, k) => cutOut(path, 28, k))),
    }
  })
  return {
    title: 't-ReX on emoji',
    subtitle:
      'Two encoders trained from scratch on 400 emoji drawn in five styles, and what their features are worth on emoji, styles and tasks that they never saw.',
    date: '14 March 2026, 16:02',
    engine: 'libtorch 1.13.1 (system), 2 threads, bf16',
    models: [
      model(
        'trex',
        't-ReX',
        { recipe: 'trex', projector: '3 layers', prototypes: 'class means', ...common },
        46,
        1,
      ),
      model(
        'plain',
        'Plain supervised',
        { recipe: 'plain', projector: 'none', prototypes: 'learned', ...common },
        51,
        2,
      ),
    ],
    table: {
      columns: [
        'Emoji, held-out style (training task)',
        'Unseen emoji',
        'Unicode groups',
        'MNIST',
        'Mean log odds',
      ],
      rows: [
        { model: 'trex', cells: [46.3, 71.4, 58.2, 93.1, 1.28] },
        { model: 'plain', cells: [51.2, 62.8, 53.9, 88.0, 0.89] },
        { model: 'Raw pixels', cells: [null, 20.4, 34.1, 86.2, 0.12] },
      ],
      chance: [0.25, 0.333, 14.3, 10, null],
      notes: [
        'One training run per model; linear classifiers by L-BFGS, C tuned on a fifth of the training pictures.',
      ],
    },
    crops: await Promise.all(crops),
    neighbours: names.slice(4, 7).flatMap((label, i) => {
      const query = { path: join(emoji.val, label, 'emojione.png'), label }
      return [
        { model: 'trex', query, hits: hits(label, 5 - i, i) },
        { model: 'plain', query, hits: hits(label, 3 - i, i + 1) },
      ]
    }),
    licences: [
      ...emoji.styles.map(({ name, licence, author, url }) => ({
        what: name,
        licence,
        author,
        url,
        shown: true,
      })),
      { what: 'MNIST', licence: 'none stated', author: 'LeCun', url: 'https://yann.lecun.com', shown: false },
    ],
  }
}

/** A square cut from a picture file. */
async function cutOut(path: string, side: number, place: number): Promise<Picture> {
  const at = 12 + ((place * 13) % (84 - side))
  const shown = side > 40 ? 96 : 40
  const region = { left: at, top: (at * 7) % (96 - side), width: side, height: side }
  const data = await sharp(path).extract(region).resize(shown).removeAlpha().raw().toBuffer()
  return { width: shown, height: shown, data: new Uint8Array(data) }
}

async function write(report: DemoReport): Promise<string> {
  const file = join(dir, 'out', 'report.html')
  await writeReport(file, report)
  return readFile(file, 'utf8')
}

/** Checks that every element is closed in order, and counts elements by name. */
function elements(text: string): Map<string, number> {
  const empty = new Set(['meta', 'link', 'img', '!doctype'])
  const open: string[] = []
  const counts = new Map<string, number>()
  const body = text.replace(/<style>[\s\S]*?<\/style>/, '')
  for (const [, close, name, , selfClosed] of body.matchAll(
    /<(\/?)([a-z!][a-z0-9]*)((?:"[^"]*"|[^">])*?)(\/?)>/gi,
  )) {
    if (close) expect(open.pop()).toBe(name)
    else {
      counts.set(name!, (counts.get(name!) ?? 0) + 1)
      if (!selfClosed && !empty.has(name!)) open.push(name!)
    }
  }
  expect(open).toEqual([])
  return counts
}

test('is a whole document: all parts there, every element closed, every id once', async () => {
  const text = await write(await sample())
  const counts = elements(text)
  expect(counts.get('section')).toBe(7)
  expect(counts.get('figure')).toBe(4 + 3) // one a set, and the three of the training
  expect(counts.get('img')).toBe(4 * 10 + 3 * (1 + 2 * 6))
  const ids = [...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const [, list] of text.matchAll(/aria-labelledby="([^"]*)"/g)) {
    for (const id of list!.split(' ')) expect(ids).toContain(id)
  }
  expect(text).not.toMatch(/undefined|NaN|\[object/)
  expect(await readdir(join(dir, 'out'))).toEqual(['report.html'])
})

test('loads nothing and runs nothing', async () => {
  const text = await write(await sample())
  expect(text).not.toMatch(/<script|<iframe|<object|\son[a-z]+=|@import|url\(/i)
  for (const [, address] of text.matchAll(/\s(?:src|xlink:href)="([^"]*)"/g))
    expect(address).toMatch(/^data:image\/webp;base64,/)
  for (const [, rel, address] of text.matchAll(/<link rel="([^"]*)" href="([^"]*)"/g))
    expect([rel, address]).toEqual(['icon', 'data:,'])
  expect(text).toContain(
    `content="default-src &#39;none&#39;; img-src data:; style-src &#39;unsafe-inline&#39;"`,
  )
})

test('every picture is decodable', async () => {
  const text = await write(await sample())
  const [, first] = text.match(/src="data:image\/webp;base64,([^"]*)"/)!
  expect(await sharp(Buffer.from(first!, 'base64')).metadata()).toMatchObject({ format: 'webp', width: 192 })
})

test('text is escaped wherever it stands, and only web addresses become links', async () => {
  const evil = `<b onclick="x">&'`
  const report = await sample()
  report.title = report.subtitle = report.engine = report.date = evil
  report.models[0]!.label = evil
  report.models[1]!.recipe = { [evil]: evil }
  report.table.columns[1] = evil
  report.table.notes = [evil]
  report.crops[0]!.label = evil
  report.neighbours[0]!.query.label = evil
  report.neighbours[0]!.hits[0]!.label = evil
  report.licences = [{ what: evil, licence: evil, author: evil, url: 'javascript:alert(1)', shown: true }]
  const text = await write(report)
  elements(text)
  expect(text).not.toContain('<b ')
  expect(text).not.toContain('onclick="x"')
  expect(text).toContain('&lt;b onclick=&quot;x&quot;&gt;&amp;&#39;')
  expect(text).not.toContain('href="javascript')
})

test('the best figure of a row is marked, a missing one is a dash', async () => {
  const text = await write(await sample())
  const row = (name: string) => text.split('<tr').find((r) => r.includes(`>${name}</th>`))!
  expect(row('Unseen emoji')).toMatch(/class="best">71\.4<.*<td>62\.8</)
  expect(row('Emoji, held-out style (training task)')).toMatch(/<td>46\.3<.*class="best">51\.2<.*<td>–</)
  expect(row('Mean log odds')).toContain('class="best">+1.28<')
})

test('parts without data are left out', async () => {
  const text = await write({ ...(await sample()), crops: [], neighbours: [] })
  expect(elements(text).get('section')).toBe(5)
})

test('credits beside pictures name what is shown, and nothing when all pictures are the reader’s own', async () => {
  const report = await sample()
  const credit = (text: string) => /class="credits">Pictures: ([^<]*)/.exec(text)?.[1]
  expect(credit(await write(report))).toMatch(/Noto Emoji/)
  expect(credit(await write(report))).not.toMatch(/MNIST/)
  const own = { ...report, licences: report.licences.filter(({ shown }) => !shown) }
  const text = await write(own)
  expect(credit(text)).toBeUndefined()
  expect(text).not.toContain('rendered to pixels')
  expect(text).toMatch(/MNIST<.*probed/)
})

test('a picture that is not there is named, and no file is left', async () => {
  const report = await sample()
  report.crops[0]!.path = join(dir, 'gone.png')
  const file = join(dir, 'none', 'report.html')
  const error = await writeReport(file, report).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(TrexError)
  expect((error as Error).message).toContain('gone.png')
  await expect(readFile(file)).rejects.toThrow('ENOENT')
})
