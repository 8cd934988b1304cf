import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DecodeError } from '../decode/decode.js'
import { checkImages, findBadImages } from './checkImages.js'
import type { Sample } from './sample.js'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'trex-check-'))
})
afterAll(() => rm(root, { recursive: true }))

test('files, slices, pixels, remote images and known problems', async () => {
  const [png, html, pack] = ['a.png', 'page.jpg', 'pack.tar'].map((name) => join(root, name))
  await writeFile(png!, '\x89PNG\r\n\x1a\n...', 'latin1')
  await writeFile(html!, '<html></html>')
  await writeFile(pack!, 'GIF89a....<html></html>')
  const slice = (offset: number, length: number) => ({ kind: 'slice', path: pack!, offset, length }) as const
  const samples: Sample[] = [
    { path: 'known', label: 0, problem: { message: 'known is a FIFO', hint: 'remove it' } },
    { path: png!, label: 0 },
    { path: `${pack}/1.gif`, label: 0, at: slice(0, 10) },
    { path: `${pack}/2.gif`, label: 0, at: slice(10, 13) },
    { path: `${pack}/3.gif`, label: 0, at: slice(0, 0) },
    { path: html!, label: 0 },
    {
      path: 'p',
      label: 0,
      at: { kind: 'pixels', memory: new SharedArrayBuffer(1), offset: 0, width: 1, height: 1, channels: 1 },
    },
    { path: 'r', label: 0, at: { kind: 'remote', url: 'http://127.0.0.1:1/x.tar', offset: 0, length: 1 } },
    { path: join(root, 'gone.jpg'), label: 0 },
  ]
  const bad = await findBadImages(samples)
  expect(
    bad.map(({ sample, error }) => [samples.indexOf(sample), error.message.replaceAll(`${root}/`, '')]),
  ).toEqual([
    [0, 'known is a FIFO'],
    [3, 'pack.tar/2.gif is not an image: it looks like an HTML page'],
    [4, 'pack.tar/3.gif is not an image: it looks like an empty file'],
    [5, 'page.jpg is not an image: it looks like an HTML page'],
    [8, 'cannot read gone.jpg: there is no such file'],
  ])
  expect(bad.every(({ error, sample }) => error instanceof DecodeError && error.path === sample.path)).toBe(
    true,
  )

  const error = await checkImages(samples).catch((e) => e)
  expect(error).toBeInstanceOf(DecodeError)
  expect(error.message).toBe('known is a FIFO (and 4 more of 9 images cannot be read)')
  expect(error.hint).toBe('remove it')
  await expect(checkImages(samples.slice(1, 3))).resolves.toBeUndefined()
})
