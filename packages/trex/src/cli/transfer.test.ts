import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { trex } from '../../test/support/trex.js'
import { rngFor } from '../rng.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-transfer-'))
const root = join(dir, 'sets')
const flags = [
  ...[
    'transfer',
    '--model',
    'random:resnet18',
    '--root',
    root,
    '--size',
    '32',
    '--seeds',
    '2',
    '--trials',
    '12',
  ],
  ...['--precision', 'fp32', '--device', 'cpu', '--workers', '1', '--batch-size', '8', '--k', '3'],
]
const whole = join(dir, 'whole')

/** Noise around a colour a class, so that neither is told apart always nor never. */
async function makeSet(name: string, classes: number, { train, test }: { train: number; test: number }) {
  const rng = rngFor(3, classes)
  for (const [part, count] of Object.entries({ train, test }))
    for (let kind = 0; kind < classes; kind++) {
      const folder = join(root, name, part, `class${kind}`)
      await mkdir(folder, { recursive: true })
      for (let i = 0; i < count; i++) {
        const pixels = Uint8Array.from({ length: 24 * 24 * 3 }, () => 40 + 8 * kind + rng.int(170))
        await sharp(pixels, { raw: { width: 24, height: 24, channels: 3 } })
          .jpeg()
          .toFile(join(folder, `${i}.jpg`))
      }
    }
}

beforeAll(async () => {
  await makeSet('pebbles', 3, { train: 20, test: 8 })
  await makeSet('twigs', 2, { train: 14, test: 6 })
  await mkdir(join(root, 'notes'))
  expect((await trex([...flags, '--out', whole])).status).toBe(0)
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const bytes = (out: string) => readFileSync(join(out, 'results.json'), 'utf8')

describe('trex transfer', () => {
  test('finds the sets, scores each, and writes tables', async () => {
    const { sets, settings } = JSON.parse(bytes(whole))
    expect(settings).toMatchObject({ trials: 12, k: 3, size: 32, precision: 'float32', compat: false })
    expect(sets).toMatchObject([
      { name: 'pebbles', probe: 'lbfgs', metric: 'top1', classes: 3, trainval: 60, test: 24, leftOut: 0 },
      { name: 'twigs', probe: 'lbfgs', metric: 'top1', classes: 2, trainval: 28, test: 12, leftOut: 0 },
    ])
    for (const { seeds, knn, classMeans } of sets) {
      expect(seeds.map(({ seed }: { seed: number }) => seed)).toEqual([1, 2])
      for (const value of [knn, classMeans, ...seeds.map(({ score }: { score: number }) => score)]) {
        expect(value).toBeGreaterThanOrEqual(0)
        expect(value).toBeLessThanOrEqual(100)
      }
    }
    expect(readFileSync(join(whole, 'results.md'), 'utf8')).toMatch(
      /^\| pebbles +\| +\d+\.\d\d ± \d+\.\d\d \|/m,
    )
    expect(readFileSync(join(whole, 'results.tex'), 'utf8')).toMatch(
      /^pebbles & \d+\.\d\d \$\\pm\$ \d+\.\d\d &/m,
    )
  })

  test('what is there is not computed again; more seeds are added', async () => {
    const { status, stdout, stderr } = await trex([...flags, '--out', whole, '--json'])
    expect(status).toBe(0)
    expect(stderr.match(/was there already/g)).toHaveLength(2)
    expect(stderr).not.toMatch(/images|trials/)
    expect(JSON.parse(stdout).means).toMatchObject([{ over: 'all', sets: 2 }])

    const one = join(dir, 'one')
    expect((await trex([...flags, '--seeds', '1', '--out', one])).status).toBe(0)
    expect(JSON.parse(bytes(one)).sets[0].seeds).toHaveLength(1)
    expect((await trex([...flags, '--out', one])).status).toBe(0)
    expect(bytes(one)).toBe(bytes(whole))
  })

  test.each([
    [
      'while features are extracted',
      (out: string) => existsSync(join(out, 'features')) && readdirSync(join(out, 'features')).length > 0,
    ],
    ['in the first search', (out: string) => searches(out).includes('pebbles-seed1.journal')],
    ['in the last search', (out: string) => searches(out).includes('twigs-seed2.journal')],
  ])('killed %s it goes on to the same results.json', async (when, reached) => {
    const out = join(dir, when)
    let watch: NodeJS.Timeout | undefined
    const { status } = await trex([...flags, '--out', out], {
      onStderr(_, kill) {
        watch ??= setInterval(() => {
          if (!reached(out)) return
          clearInterval(watch)
          kill('SIGKILL')
        }, 1)
      },
    })
    clearInterval(watch)
    expect(status === null || status === 0).toBe(true) // the work may be done before the signal comes
    expect((await trex([...flags, '--out', out])).status).toBe(0)
    expect(bytes(out)).toBe(bytes(whole))
  })

  test.each([
    [['--root', join(dir, 'nowhere')], 'there is no folder'],
    [['--root', join(root, 'notes')], 'no data set lies below'],
    [['--only', 'pebbles,stones'], 'stones is not below'],
    [['--trials', '13', '--out', whole], 'has results of another trials'],
    [['--model', 'random:resnet34', '--out', whole], 'has the results of another model, random:resnet18'],
    [['--model', 'runs/none'], 'there is no run or file runs/none'],
  ])('%j is an error with a remedy', async (more, message) => {
    const out = more.includes('--out') ? [] : ['--out', join(dir, 'never')]
    const { status, stderr } = await trex([...flags, ...more, ...out])
    expect(status).toBe(1)
    expect(stderr).toContain(message)
    expect(stderr).toMatch(/^hint: /m)
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  test('images that have changed are not mixed with results of before', async () => {
    const out = join(dir, 'changed')
    expect((await trex([...flags, '--only', 'twigs', '--seeds', '1', '--out', out])).status).toBe(0)
    const image = join(root, 'twigs/train/class0/0.jpg')
    const before = readFileSync(image)
    writeFileSync(image, readFileSync(join(root, 'twigs/train/class1/1.jpg')))
    const { status, stderr } = await trex([...flags, '--only', 'twigs', '--seeds', '1', '--out', out])
    writeFileSync(image, before)
    expect(status).toBe(1)
    expect(stderr).toMatch(/the results of twigs in .* are of other images\nhint: choose another --out/)
  })
})

const searches = (out: string): string[] => {
  const folder = join(out, 'searches')
  return existsSync(folder) ? readdirSync(folder) : []
}
