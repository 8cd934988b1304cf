import { execFileSync } from 'node:child_process'
import { chmod, link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, extname, join } from 'node:path'
import { DAMAGED, damages, impostors, type Made } from './oddFilesDamage.js'
import { ENCODINGS, HEIGHT, jpeg, picture, WIDTH } from './oddFilesEncode.js'
import { GOOD_NAMES, LEFT_OUT, NOT_UTF8 } from './oddFilesNames.js'

/** An image as it must be listed, and what must come of it: its width and height, or an error with these words. */
export interface OddImage {
  /** Below the root, as it is shown. */
  readonly path: string
  readonly expected: readonly [width: number, height: number] | RegExp
}

/** A data set of bad and odd files, and all that is true of it. */
export interface OddFiles {
  readonly root: string
  readonly images: readonly OddImage[]
  /** What is left out, by kind. */
  readonly ignored: Readonly<Record<string, number>>
  /** Groups of equal images, each sorted. */
  readonly duplicates: readonly { paths: string[]; acrossSplits: boolean; differentLabels: boolean }[]
  /** Removes all. */
  remove(): Promise<void>
}

const GOOD = [WIDTH, HEIGHT] as const

/** Writes the data set into a new folder that others may read. Linux only: other systems refuse some of the names. */
export async function makeOddFiles(): Promise<OddFiles> {
  const base = await mkdtemp(join(tmpdir(), 'trex-odd-'))
  const root = join(base, 'set')
  const writer = createWriter(root)
  await formats(writer)
  await names(writer)
  await links(writer, join(base, 'outside'))
  const server = await noFiles(writer)
  await besides(writer)
  const duplicates = await copies(writer)
  await chmod(base, 0o755)
  return {
    root,
    images: writer.images,
    ignored: writer.ignored,
    duplicates,
    async remove() {
      server.close()
      await chmod(join(root, 'train/nofile/locked folder'), 0o700)
      await rm(base, { recursive: true })
    },
  }
}

type Writer = ReturnType<typeof createWriter>

function createWriter(root: string) {
  const images: OddImage[] = []
  const ignored: Record<string, number> = {}
  const at = (path: string) => join(root, path)
  const makeFolder = (path: string) => mkdir(at(path), { recursive: true })
  return {
    at,
    images,
    ignored,
    makeFolder,
    expect: (path: string, expected: OddImage['expected']) => void images.push({ path, expected }),
    leaveOut: (kind: string, times = 1) => void (ignored[kind] = (ignored[kind] ?? 0) + times),
    async file(path: string, bytes: Uint8Array, expected?: OddImage['expected']) {
      await makeFolder(dirname(path))
      await writeFile(at(path), bytes)
      if (expected) images.push({ path, expected })
    },
  }
}

/** Whole, cut, under a wrong name, of odd sizes, damaged, and no images at all. */
async function formats({ file }: Writer): Promise<void> {
  for (const [name, encode] of Object.entries(ENCODINGS)) {
    await file(`train/whole/${name}`, await encode(), GOOD)
    const bytes = await encode()
    for (const percent of [2, 25, 50, 75, 90]) {
      const length = Math.max(16, Math.floor((bytes.length * percent) / 100))
      await file(`train/cut/${percent} percent of ${name}`, bytes.subarray(0, length), DAMAGED)
    }
    const wrong = extname(name) === '.jpg' ? '.png' : '.jpg'
    await file(`val/whole/really ${name}${wrong}`, await encode(), GOOD)
  }
  for (const format of ['jpeg', 'png', 'gif', 'webp', 'tiff', 'avif'] as const)
    for (const [width, height] of [
      [1, 1],
      [1, 5000],
      [5000, 1],
      [2, 3],
    ] as const) {
      const extension = format === 'jpeg' ? 'jpg' : format
      const bytes = await picture(width, height).toFormat(format).toBuffer()
      await file(`train/sizes/${width}x${height}.${extension}`, bytes, [width, height])
    }
  const write = async (folder: string, made: readonly Made[], extension = '') => {
    for (const [name, bytes, expected] of made) await file(`${folder}/${name}${extension}`, bytes, expected)
  }
  await write('train/impostors', impostors(), '.jpg')
  await write('train/damage', await damages())
}

async function names({ file, expect, leaveOut, at, makeFolder }: Writer): Promise<void> {
  for (const name of GOOD_NAMES) await file(`train/names/${name}`, await jpeg(), GOOD)
  for (const [name, kind] of Object.entries(LEFT_OUT)) {
    await file(`train/names/${name}`, Buffer.from(name))
    leaveOut(kind)
  }
  const folder = Buffer.from(at('train/names/'))
  const problem = /not UTF-8/
  for (const [bytes, shown] of NOT_UTF8) {
    await writeFile(Buffer.concat([folder, bytes]), await jpeg())
    expect(`train/names/${shown}`, problem)
  }
  await writeFile(Buffer.concat([folder, Buffer.from('\xff.txt', 'latin1')]), '')
  leaveOut('.txt')
  const odd = Buffer.concat([folder, Buffer.from('\xfe', 'latin1')])
  await mkdir(odd)
  await writeFile(Buffer.concat([odd, Buffer.from('/1.jpg')]), await jpeg())
  expect('train/names/\\xfe/1.jpg', problem)
  for (const path of [
    'folder.jpg/1.jpg',
    'a/b/c/d/e/f/g/h/i/j/k/l/m/deep.jpg',
    ' /1.jpg',
    '-/1.jpg',
    '\n/1.jpg',
  ])
    await file(`train/names/${path}`, await jpeg(), GOOD)
  await makeFolder('train/names/empty/empty')
}

async function links({ file, expect, leaveOut, at, makeFolder }: Writer, outside: string): Promise<void> {
  await makeFolder('train/links')
  await mkdir(join(outside, 'folder'), { recursive: true })
  await writeFile(join(outside, '1.jpg'), await jpeg())
  await writeFile(join(outside, '2.jpg'), await jpeg())
  await writeFile(join(outside, 'folder/3.jpg'), await jpeg())
  await writeFile(join(outside, 'page.html'), '<html></html>')
  const to = (target: string, name: string) => symlink(target, at(`train/links/${name}`))

  await to(join(outside, '1.jpg'), 'absolute.jpg')
  await to('../../../outside/2.jpg', 'relative.jpg')
  await to(join(outside, 'folder'), 'folder.jpg')
  for (const path of ['absolute.jpg', 'relative.jpg', 'folder.jpg/3.jpg']) expect(`train/links/${path}`, GOOD)
  await to(join(outside, 'page.html'), 'page.jpg')
  expect('train/links/page.jpg', /an HTML page/)
  await file('train/links/target.txt', Buffer.from('x'))
  leaveOut('.txt')

  const broken: [target: string, name: string, problem: RegExp][] = [
    ['gone.jpg', 'dangling.jpg', /link to nothing/],
    ['/no/such/folder/1.jpg', 'dangling-absolute.png', /link to nothing/],
    ['target.txt/1.jpg', 'through-a-file.jpg', /link to nothing/],
    ['self.jpg', 'self.jpg', /loop of links/],
    ['loop2.jpg', 'loop1.jpg', /loop of links/],
    ['loop1.jpg', 'loop2.jpg', /loop of links/],
    ['/dev/null', 'null.jpg', /device/],
    ['/dev/zero', 'zero.jpg', /device/],
    ['/dev/tty', 'terminal.jpg', /device/],
  ]
  for (const [target, name, problem] of broken) {
    await to(target, name)
    expect(`train/links/${name}`, problem)
  }
  await to('gone', 'dangling')
  await to('gone.txt', 'dangling.txt')
  leaveOut('broken link', 2)
  await to('.', 'this folder')
  await to('..', 'the folder above')
  await to('../links', 'itself')
  leaveOut('link to a folder around it', 3)
}

/** What a file system holds besides files and links. */
async function noFiles({ at, expect, file, leaveOut, makeFolder }: Writer): Promise<Server> {
  await makeFolder('train/nofile')
  const path = (name: string) => at(`train/nofile/${name}`)
  execFileSync('mkfifo', [path('fifo.jpg'), path('fifo.png'), path('fifo')])
  expect('train/nofile/fifo.jpg', /FIFO/)
  expect('train/nofile/fifo.png', /FIFO/)
  leaveOut('')
  const server = createServer().listen(path('socket.jpg'))
  await new Promise((done) => server.once('listening', done))
  expect('train/nofile/socket.jpg', /socket/)
  await file('train/nofile/locked.jpg', await jpeg(), /cannot read .*permission denied/is)
  await chmod(path('locked.jpg'), 0)
  await symlink('locked.jpg', path('link to locked.jpg'))
  expect('train/nofile/link to locked.jpg', /cannot read .*permission denied/is)
  await file('train/nofile/locked folder/1.jpg', await jpeg())
  await symlink('locked folder/1.jpg', path('link into locked.jpg'))
  await chmod(path('locked folder'), 0)
  expect('train/nofile/locked folder', /may not be read/)
  expect('train/nofile/link into locked.jpg', /may not be read/)
  return server
}

/** Files and folders where no images are expected. */
async function besides({ file, leaveOut }: Writer): Promise<void> {
  await file('README.md', Buffer.from('#'))
  leaveOut('.md')
  await file('cover.jpg', await jpeg())
  await file('train/stray.png', await jpeg())
  leaveOut('image outside the class folders', 2)
  await file('unlabelled/x.jpg', await jpeg())
  leaveOut('folder unlabelled/')
  await file('train/__MACOSX/names/1.jpg', await jpeg())
  await file('train/whole/.ipynb_checkpoints/1.jpg', await jpeg())
  await file('.git/HEAD', Buffer.from('x'))
  await file('val/.DS_Store', Buffer.from('x'))
  leaveOut('hidden', 4)
}

async function copies({ file, expect, at }: Writer): Promise<OddFiles['duplicates']> {
  const group = async (...paths: string[]) => {
    const bytes = await jpeg()
    for (const path of paths) await file(path, bytes, GOOD)
    const parts = (place: number) => new Set(paths.map((path) => path.split('/')[place]))
    return { paths: paths.sort(), acrossSplits: parts(0).size > 1, differentLabels: parts(1).size > 1 }
  }
  const groups = [
    await group('train/copies/pair 1.jpg', 'train/copies/pair 2.jpg'),
    await group('train/copies/three 1.jpg', 'train/copies/three 2.jpg', 'train/copies/three 3.png'),
    await group('train/copies/leak.jpg', 'val/copies/leaked.jpg'),
    await group('train/copies/both.jpg', 'train/whole/both.jpg', 'val/whole/both.jpg'),
    await group('train/copies/label.jpg', 'train/sizes/label.jpg'),
    await group('val/copies/label.jpg', 'val/whole/label.jpg'),
  ]
  const hard = await group('train/copies/hard 1.jpg')
  await link(at('train/copies/hard 1.jpg'), at('train/copies/hard 2.jpg'))
  const soft = await group('train/copies/soft 1.jpg')
  await symlink('../../train/copies/soft 1.jpg', at('val/copies/soft 2.jpg'))
  hard.paths.push('train/copies/hard 2.jpg')
  soft.paths.push('val/copies/soft 2.jpg')
  expect('train/copies/hard 2.jpg', GOOD)
  expect('val/copies/soft 2.jpg', GOOD)
  return [...groups, hard, { ...soft, acrossSplits: true }]
}
