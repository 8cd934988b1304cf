import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { copyFile, link, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeImages, trex } from '../../test/support/trex.js'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'trex-datasets-'))
const images = join(dir, 'images')
beforeAll(() => makeImages(images, { classes: 2, perClass: 6 }))
afterAll(() => rmSync(dir, { recursive: true }))

test.each([[['datasets']], [['datasets', 'check']]])('%j --help ends with an example', async (command) => {
  const { status, stdout } = await trex([...command, '--help'])
  expect(status).toBe(0)
  expect(stdout).toMatch(/Example:\n {2}\$ trex datasets check photos --json > photos.json\n$/)
})

test('check: a table, or JSON with nothing else on stdout; exit code 0', async () => {
  const plain = await trex(['datasets', 'check', images])
  expect(plain.status).toBe(0)
  expect(plain.stdout).toMatch(
    /^source +image folder\nimages +12: 10 train, 2 val\nclasses +2 of 6 images\nformats +12 PNG\n/,
  )
  expect(plain.stdout).toMatch(/\nok\n$/)
  const { status, stdout } = await trex(['datasets', 'check', images, '--json', '--val-fraction', '0.5'])
  expect(status).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    data: images,
    source: 'image folder',
    ok: true,
    images: { train: 6, val: 6 },
  })
})

test('check: an image in both parts is exit code 1', async () => {
  const copy = join(images, 'class0/copy.png')
  await copyFile(join(images, 'class0/1.png'), copy)
  try {
    // Of 7 images 3 are held out: with one of these seeds the two copies are apart.
    const runs = await Promise.all(
      ['0', '1', '2', '3'].map((seed) =>
        trex(['datasets', 'check', images, '--json', '--val-fraction', '0.5', '--seed', seed]),
      ),
    )
    for (const { status, stdout } of runs) expect(status).toBe(JSON.parse(stdout).duplicates.acrossSplits)
    expect(new Set(runs.map(({ status }) => status))).toEqual(new Set([0, 1]))
  } finally {
    await rm(copy)
  }
})

test.each([
  [['datasets', 'chek', 'x'], "unknown command 'chek'", 'Did you mean check?'],
  [['datasets', 'check', 'x', '--jsn'], "unknown option '--jsn'", 'Did you mean --json?'],
  [['datasets', 'check', 'x', '--val-fraction', '1'], "argument '1' is invalid", 'It is not in [0, 1).'],
  [['datasets', 'check', 'x', '--seed', '-1'], "argument '-1' is invalid", 'It is not a whole number'],
  [
    ['datasets', 'check', '/no/such'],
    'cannot read /no/such: there is no such folder or file',
    'DATA is a folder of class folders',
  ],
])('%j is an error with a remedy', async (args, error, remedy) => {
  const { status, stdout, stderr } = await trex(args)
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toContain(error)
  expect(stderr).toContain(remedy)
  expect(stderr).not.toMatch(/^\s+at /m)
})

test('Ctrl-C ends a check, says how far it came, and prints no report', async () => {
  const many = await makeImages(join(dir, 'many'), { classes: 2, perClass: 10 })
  const large = join(dir, 'large.png')
  await sharp({ create: { width: 6000, height: 6000, channels: 3, background: 'red' } })
    .png()
    .toFile(large)
  for (let i = 0; i < 300; i++) await link(large, join(many, `class0/large${i}.png`))
  const child = spawn(process.execPath, [main, 'datasets', 'check', many])
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (text) => {
    said.stdout += text
  })
  child.stderr.on('data', (text) => {
    said.stderr += text
  })
  setTimeout(() => child.kill('SIGINT'), 3000) // by then it decodes; the whole would take tens of seconds
  const status = await new Promise((done) => child.on('close', done))
  expect({ status, stdout: said.stdout }).toEqual({ status: 130, stdout: '' })
  expect(said.stderr).toMatch(/stopped: \d+ of 320 images were checked\n$/)
})
