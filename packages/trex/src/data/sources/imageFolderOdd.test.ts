import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findBadImages } from './checkImages.js'
import { readImageDataset, readImageFolder } from './imageFolder.js'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'trex-odd-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

async function touch(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), 'x')
  }
}
const bytesPath = (...parts: (string | number[])[]) =>
  Buffer.concat([Buffer.from(`${root}/`), ...parts.map((part) => Buffer.from(part as string))])

test('names with spaces, newlines, emoji and of 255 bytes are files like others', async () => {
  const names = [
    ' a b .jpg',
    'line\nbreak.jpg',
    '🦖.jpg',
    `${'é'.repeat(125)}x.jpg`,
    '-rf.jpg',
    'e\u0301.jpg',
  ]
  await touch('b/1.jpg', ...names.map((name) => `a/${name}`))
  const { samples } = await readImageFolder(root)
  const listed = samples.filter(({ label }) => label === 0).map(({ path }) => path)
  expect(listed).toEqual(names.map((name) => join(root, 'a', name)).sort())
  expect(samples.every(({ problem }) => problem === undefined)).toBe(true)
})

test('a name that is not UTF-8 is listed, escaped, with a problem; so is what lies in a folder of such a name', async () => {
  await touch('a/1.jpg', 'b/1.jpg')
  await writeFile(bytesPath('a/caf', [0xe9], '.jpg'), 'x')
  await writeFile(bytesPath('a/', [0xff, 0xc3, 0xa9], '.txt'), 'x')
  await mkdir(bytesPath('b/', [0x80]))
  await writeFile(bytesPath('b/', [0x80], '/é.jpg'), 'x')
  const { samples, ignored } = await readImageFolder(root)
  const odd = samples.filter(({ problem }) => problem)
  expect(odd.map(({ path, label }) => `${label} ${path.slice(root.length + 1)}`)).toEqual([
    '0 a/caf\\xe9.jpg',
    '1 b/\\x80/é.jpg',
  ])
  expect(odd[0]!.problem).toEqual({
    message: `${root}/a/caf\\xe9.jpg has a name that is not UTF-8`,
    hint: expect.stringContaining('rename it'),
  })
  expect(ignored).toEqual({ '.txt': 1 })
  const names = await readdir(join(root, 'a'), { encoding: 'buffer' })
  expect(names).toHaveLength(3) // the file system did keep them
})

test('what is named as an image but is no file has a problem; nothing is opened', async () => {
  await touch('a/1.jpg', 'b/1.jpg')
  execFileSync('mkfifo', [join(root, 'a/fifo.jpg'), join(root, 'a/fifo')])
  await symlink(join(root, 'gone'), join(root, 'a/dangling.jpg'))
  await symlink(join(root, 'gone'), join(root, 'a/dangling.txt'))
  await symlink(join(root, 'a/self.jpg'), join(root, 'a/self.jpg'))
  await symlink('/dev/null', join(root, 'a/null.jpg'))
  await symlink(join(root, 'a'), join(root, 'a/folder.jpg'))
  const server = createServer().listen(join(root, 'a/socket.jpg'))
  await new Promise((done) => server.once('listening', done))
  try {
    const { samples, ignored } = await readImageFolder(root)
    const problems = samples.flatMap(({ problem }) =>
      problem ? [problem.message.replace(`${root}/a/`, '')] : [],
    )
    expect(problems).toEqual([
      'dangling.jpg is a link to nothing, not a file',
      'fifo.jpg is a FIFO (named pipe), not a file',
      'null.jpg is a device, not a file',
      'self.jpg is a loop of links, not a file',
      'socket.jpg is a socket, not a file',
    ])
    expect(ignored).toEqual({ '': 1, 'broken link': 1, 'link to a folder around it': 1 })
    const bad = await findBadImages(samples)
    expect(bad.map(({ error }) => error.message.replace(`${root}/`, ''))).toEqual([
      'a/1.jpg is not an image: it looks like text',
      ...problems.map((problem) => `a/${problem}`),
      'b/1.jpg is not an image: it looks like text',
    ])
  } finally {
    server.close()
  }
})

test('a file that becomes a FIFO after it was listed does not hang the check', async () => {
  await touch('a/1.jpg', 'b/1.jpg')
  const { samples } = await readImageFolder(root)
  await rm(join(root, 'a/1.jpg'))
  execFileSync('mkfifo', [join(root, 'a/1.jpg')])
  const [bad] = await findBadImages(samples)
  expect(bad!.error.message).toBe(`cannot read ${root}/a/1.jpg: it is a FIFO (named pipe)`)
})

test('hidden files and files beside train/ and val/ are counted', async () => {
  await touch('train/a/1.jpg', 'train/b/1.jpg', 'val/a/1.jpg', 'README.md', 'cover.jpg', '.DS_Store')
  await touch('train/a/.DS_Store', 'train/a/._1.jpg', 'train/a/Thumbs.db', 'train/__MACOSX/a/1.jpg')
  await touch('val/a/desktop.ini', 'val/a/.ipynb_checkpoints/1.jpg', 'train/a/x.0001', 'train/a/x.jpg.')
  const { classes, ignored } = await readImageDataset(root)
  expect(classes).toEqual(['a', 'b'])
  const outside = { 'image outside the class folders': 1 }
  expect(ignored).toEqual({ hidden: 7, '.md': 1, other: 2, ...outside })
})

test('a problem survives the renumbering of val/', async () => {
  await touch('train/a/1.jpg', 'train/b/1.jpg', 'val/b/1.jpg')
  await symlink('gone', join(root, 'val/b/2.jpg'))
  const { val } = await readImageDataset(root)
  expect(val.map(({ label, problem }) => [label, problem !== undefined])).toEqual([
    [1, false],
    [1, true],
  ])
})

test('class folders that cannot be used are errors', async () => {
  await touch('a/1.jpg', 'b/notes.txt')
  await mkdir(bytesPath('caf', [0xe9]))
  await expect(readImageFolder(root)).rejects.toThrow(
    /b has no images \(and 1 more class folders cannot be used\)/,
  )
  await rm(join(root, 'b'), { recursive: true })
  await expect(readImageFolder(root)).rejects.toThrow(/the name of the class folder .*caf\\xe9 is not UTF-8/)
})

test('20,000 files are listed in a second or two', async () => {
  await touch('a/1.jpg', 'b/1.jpg')
  for (let i = 0; i < 20_000; i++) writeFileSync(join(root, `a/x${i}.jpg`), '')
  const began = performance.now()
  expect((await readImageFolder(root)).samples).toHaveLength(20_002)
  expect(performance.now() - began).toBeLessThan(3000)
})
