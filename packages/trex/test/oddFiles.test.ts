import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DatasetReport } from '../src/data/check/datasetReport.js'
import { makeOddFiles, type OddFiles } from './oddFiles.js'

// Everything runs in a process of its own that gives root's rights up: root may read what others may not.
const dist = fileURLToPath(new URL('../dist/', import.meta.url))
const linux = process.platform === 'linux'
const NOBODY = 65534

const DROP = `if (process.getuid() === 0) {
  process.setgroups([])
  process.setgid(${NOBODY})
  process.setuid(${NOBODY})
}`
const EXAMINE_EACH = `
import { examine } from '${pathToFileURL(`${dist}data/check/examine.js`)}'
import { openDataset } from '${pathToFileURL(`${dist}data/sources/openDataset.js`)}'
${DROP}
const { train, val } = await openDataset(process.argv[1])
const found = []
for (const sample of [...train, ...val]) {
  const began = performance.now()
  const result = await examine(sample, () => Promise.reject(new Error('remote'))).catch((e) => ({ name: e.name, message: e.message }))
  found.push({ path: sample.path, seconds: (performance.now() - began) / 1000, ...result })
}
console.log(JSON.stringify(found))`
// Under node -e, arguments begin at argv[1].
const CHECK = `
await import('${pathToFileURL(`${dist}cli/datasetsCheck.js`)}')
await import('${pathToFileURL(`${dist}cli/errors.js`)}')
${DROP}
process.argv = [process.argv[0], 'datasets', 'check', ...process.argv.slice(1)]
await import('${pathToFileURL(`${dist}cli/main.js`)}')`

interface Outcome {
  path: string
  seconds: number
  width?: number
  height?: number
  name?: string
  message?: string
}

function run(
  script: string,
  ...args: string[]
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  if (!existsSync(dist)) throw new Error(`there is no ${dist}: build it with npx tsc -b`)
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, '--', ...args], {
    timeout: 100_000,
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => (said.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (said.stderr += text))
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('close', (status) => done({ status, ...said }))
  })
}

describe.skipIf(!linux)(
  'a data set of bad and odd files (Linux: other systems refuse some of the names)',
  () => {
    let odd: OddFiles
    beforeAll(async () => {
      odd = await makeOddFiles()
    })
    afterAll(() => odd?.remove())
    const below = (path: string) => relative(odd.root, path)
    const bad = () => odd.images.filter(({ expected }) => expected instanceof RegExp)

    test('has more than 200', () => {
      const left = Object.values(odd.ignored).reduce((sum, times) => sum + times, 0)
      expect(bad().length).toBeGreaterThan(150)
      expect(odd.images.length + left).toBeGreaterThan(350)
      expect(new Set(odd.images.map(({ path }) => path)).size).toBe(odd.images.length)
    })

    test('each is read or refused as it must, in less than 2 s', async () => {
      const { status, stdout, stderr } = await run(EXAMINE_EACH, odd.root)
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      const found = new Map(
        (JSON.parse(stdout) as Outcome[]).map((outcome) => [below(outcome.path), outcome]),
      )
      expect([...found.keys()].sort()).toEqual(odd.images.map(({ path }) => path).sort())
      const wrong = odd.images.flatMap(({ path, expected }) => {
        const { width, height, name, message = '' } = found.get(path)!
        const right =
          expected instanceof RegExp
            ? name === 'DecodeError' && expected.test(message) && message.includes(path)
            : width === expected[0] && height === expected[1]
        return right ? [] : [{ path, expected: String(expected), found: message || `${width}x${height}` }]
      })
      expect(wrong).toEqual([])
      expect(Math.max(...[...found.values()].map(({ seconds }) => seconds))).toBeLessThan(2)
    })

    test('trex datasets check --json counts them all', async () => {
      const { status, stdout, stderr } = await run(CHECK, odd.root, '--json')
      expect({ status, stderr: stderr.replace(/^check \d+.*\n/gm, '') }).toEqual({ status: 1, stderr: '' })
      const report = JSON.parse(stdout) as DatasetReport & { source: string }
      expect(report).toMatchObject({ source: 'image folder', ok: false, quick: false, ignored: odd.ignored })
      expect(Object.keys(report.ignored).sort()).toEqual(Object.keys(odd.ignored).sort())
      const inPart = (part: string) => odd.images.filter(({ path }) => path.startsWith(`${part}/`))
      expect(report.images).toEqual({ train: inPart('train').length, val: inPart('val').length })
      expect(report.unreadable.map(({ path }) => below(path)).sort()).toEqual(
        bad()
          .map(({ path }) => path)
          .sort(),
      )
      const ofClass = (part: string, name: string) =>
        inPart(part).filter(({ path }) => path.split('/')[1] === name).length
      for (const { name, train, val } of report.classes)
        expect([name, train, val]).toEqual([name, ofClass('train', name), ofClass('val', name)])
      const good = odd.images.flatMap(({ expected }) => (expected instanceof RegExp ? [] : [expected]))
      const sizes = (axis: 0 | 1) => {
        const sorted = good.map((size) => size[axis]).sort((a, b) => a - b)
        return { min: sorted[0], median: sorted[(sorted.length - 1) >> 1], max: sorted.at(-1) }
      }
      expect(report.contents).toMatchObject({
        images: good.length,
        width: sizes(0),
        height: sizes(1),
        smallerThan32: good.filter((size) => Math.min(...size) < 32).length,
      })
      const groups = report.duplicates!.groups.map(({ images, ...kind }) => ({
        paths: images.map(({ path }) => below(path)).sort(),
        ...kind,
      }))
      const byPath = (a: { paths: string[] }, b: { paths: string[] }) => (a.paths[0]! < b.paths[0]! ? -1 : 1)
      expect([...groups].sort(byPath)).toEqual([...odd.duplicates].sort(byPath))
      expect(groups.map(({ acrossSplits }) => acrossSplits)).toEqual([
        true,
        true,
        true,
        ...groups.slice(3).map(() => false),
      ])
      expect(report.duplicates).toMatchObject({
        acrossSplits: 3,
        withinSplit: groups.length - 3,
        differentLabels: 3,
      })
    })

    test('as a table: the first 20 of each kind, and nothing that a terminal would obey', async () => {
      const { status, stdout } = await run(CHECK, odd.root)
      expect(status).toBe(1)
      expect(stdout).toMatch(/^unreadable {2}\d+$/m)
      expect(stdout).toMatch(/^ {2}and \d+ more: --json lists them all$/m)
      expect(stdout).toMatch(/^duplicates \(8 groups\)\n {2}across splits/m)
      expect(stdout).toMatch(
        new RegExp(
          `not ok: ${bad().length} images cannot be read: remove or replace them\nnot ok: 3 images are in train and in val`,
        ),
      )
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f\u202e]/)
    })

    test('--quick finds what is no image', async () => {
      const { status, stdout } = await run(CHECK, odd.root, '--quick', '--json')
      expect(status).toBe(1)
      const report = JSON.parse(stdout) as DatasetReport
      expect([report.quick, report.contents, report.duplicates]).toEqual([true, null, null])
      const found = new Set(report.unreadable.map(({ path }) => below(path)))
      const damaged = (expected: RegExp) => /truncated|pixels/.test(expected.source)
      const unreadable = bad().filter(({ expected }) => !damaged(expected as RegExp))
      for (const { path } of unreadable) expect(found).toContain(path)
      expect(found.size).toBe(unreadable.length)
    })
  },
)

test.skipIf(!linux)('a class folder that may not be read is an error, not a smaller data set', async () => {
  const root = await mkdtemp(join(tmpdir(), 'trex-locked-'))
  await chmod(root, 0o755)
  for (const name of ['a', 'b', 'c']) {
    await mkdir(join(root, name))
    await writeFile(join(root, name, '1.jpg'), '')
  }
  await chmod(join(root, 'b'), 0)
  await chmod(join(root, 'c'), 0)
  try {
    const { status, stdout, stderr } = await run(CHECK, root)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain(
      `error: the class folder ${root}/b is a folder that may not be read (permission denied) (and 1 more class folders cannot be used)`,
    )
  } finally {
    for (const name of ['b', 'c']) await chmod(join(root, name), 0o700)
    await rm(root, { recursive: true })
  }
})
