import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
    const said = JSON.parse(stdout)
    expect(said.summary.means).toMatchObject([{ over: 'all', sets: 2 }])
    expect(said.summary.sets[0].confidence95).toBeGreaterThanOrEqual(0)
    expect(said.sets).toEqual(JSON.parse(bytes(whole)).sets)

    const one = join(dir, 'one')
    expect((await trex([...flags, '--seeds', '1', '--out', one])).status).toBe(0)
    expect(JSON.parse(bytes(one)).sets[0].seeds).toHaveLength(1)
    expect((await trex([...flags, '--out', one])).status).toBe(0)
    expect(bytes(one)).toBe(bytes(whole))
  })

  test('what is complete needs no features, and a copy of the data can be compared', async () => {
    const copy = join(dir, 'copy')
    cpSync(root, copy, { recursive: true }) // all files have new times
    const out = join(dir, 'of-copy')
    expect((await trex([...flags, '--root', copy, '--seeds', '1', '--out', out])).status).toBe(0)
    rmSync(join(out, 'features'), { recursive: true })
    const again = await trex([...flags, '--seeds', '1', '--out', out])
    expect([again.status, existsSync(join(out, 'features', 'x'))]).toEqual([0, false])
    expect(again.stderr.match(/was there already/g)).toHaveLength(2)
    const compared = await trex(['compare', whole, out, '--json'])
    expect(JSON.parse(compared.stdout)[0].sets).toMatchObject([
      { name: 'pebbles', difference: 0, seeds: 1 },
      { name: 'twigs', difference: 0, seeds: 1 },
    ])
  })

  test('a set that fails does not keep the others from being evaluated', async () => {
    const place = join(dir, 'with-broken')
    cpSync(join(root, 'twigs'), join(place, 'twigs'), { recursive: true })
    cpSync(join(root, 'twigs'), join(place, 'bark'), { recursive: true })
    rmSync(join(place, 'bark/test/class1'), { recursive: true })
    const out = join(dir, 'beside-broken')
    const { status, stdout, stderr } = await trex([...flags, '--root', place, '--seeds', '1', '--out', out])
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/bark \(1\/2\) failed: .*class1/)
    expect(stderr).toContain('error: 1 of 2 sets failed: bark')
    expect(readFileSync(join(out, 'results.md'), 'utf8')).toMatch(/^\| twigs +\| +\d/m)
  })

  test('two at once in one folder are refused', async () => {
    const out = join(dir, 'shared')
    let other: ReturnType<typeof trex> | undefined
    const long = [...flags, '--seeds', '8', '--trials', '30', '--out', out]
    const first = await trex(long, {
      onStderr(text) {
        if (/img\/s/.test(text)) other ??= trex(long)
      },
    })
    const second = await other!
    expect(first.status).toBe(0)
    expect(second.status).toBe(1)
    expect(second.stderr).toContain(`${out} is in use by process`)
    expect(JSON.parse(bytes(out)).sets).toMatchObject([{ name: 'pebbles' }, { name: 'twigs' }])
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
    [['--trials', '13', '--out', whole], 'has results of another trials (12 there, 13 now)'],
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
