import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { chmod, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  cannotRead,
  DecodeError,
  decodeImage,
  readFileSlice,
  readImageFile,
  readImageStart,
} from './decode.js'

let folder: string
const at = (name: string) => join(folder, name)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trex-read-'))
  await writeFile(
    at('ten'),
    Uint8Array.from({ length: 10 }, (_, i) => i),
  )
})
afterAll(() => rm(folder, { recursive: true }))

describe('reads', () => {
  test('a whole file, also an empty one', async () => {
    expect([...(await readImageFile(at('ten')))]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    await writeFile(at('empty'), '')
    expect(await readImageFile(at('empty'))).toHaveLength(0)
  })
  test('its start, or all there is', async () => {
    expect([...(await readImageStart(at('ten'), 3))]).toEqual([0, 1, 2])
    expect(await readImageStart(at('ten'), 99)).toHaveLength(10)
  })
  test('a part of it', async () => {
    expect([...(await readFileSlice(at('ten'), 4, 3))]).toEqual([4, 5, 6])
    expect(await readFileSlice(at('ten'), 10, 0)).toHaveLength(0)
  })
  test('through a symbolic link', async () => {
    await symlink(at('ten'), at('link'))
    expect(await readImageFile(at('link'))).toHaveLength(10)
  })
})

describe('what cannot be read is a DecodeError that says why, at once', () => {
  const refused = async (path: string, message: RegExp) => {
    for (const read of [
      readImageFile,
      (p: string) => readImageStart(p, 9),
      (p: string) => readFileSlice(p, 0, 9),
    ]) {
      const error = await read(path).catch((reason) => reason)
      expect(error).toBeInstanceOf(DecodeError)
      expect(error.path).toBe(path)
      expect(error.message).toContain(path)
      expect(error.message).toMatch(message)
    }
  }
  test('a FIFO that nobody writes to', async () => {
    execFileSync('mkfifo', [at('fifo')])
    await refused(at('fifo'), /it is a FIFO/)
    await expect(decodeImage(at('fifo'))).rejects.toThrow(/it is a FIFO/)
  }, 5000)
  test('a directory', () => refused(folder, /it is a directory/))
  test('a device', () => refused('/dev/zero', /it is a character device/))
  test('a terminal or the null device', () => refused('/dev/null', /it is a character device/))
  test('a socket', async () => {
    const server = createServer().listen(at('socket'))
    await refused(at('socket'), /it is a socket/)
    await new Promise((done) => server.close(done))
  })
  test('nothing', () => refused(at('gone.jpg'), /there is no such file/))
  test('a file where a folder should be', () => refused(at('ten/inside'), /not a directory/))
  test('a circle of links', async () => {
    await symlink(at('b'), at('a'))
    await symlink(at('a'), at('b'))
    await refused(at('a'), /links lead in a circle/)
  })
  test('a link to nothing', async () => {
    await symlink(at('nowhere'), at('dangling'))
    await refused(at('dangling'), /there is no such file/)
  })
  test('a name too long', () => refused(at('x'.repeat(300)), /name is too long/))
  test('a file without permission', async () => {
    await writeFile(at('secret'), 'x')
    await chmod(at('secret'), 0)
    if (process.getuid?.() !== 0) await refused(at('secret'), /permission denied/)
    const cause = Object.assign(new Error('EACCES: ...'), { code: 'EACCES' })
    expect(cannotRead(at('secret'), cause).message).toBe(`cannot read ${at('secret')}: permission denied`)
  })
})

describe('sizes', () => {
  test('more than 1 GiB is refused before it is read', async () => {
    await writeFile(at('large'), '')
    await truncate(at('large'), 2 ** 30 + 1) // sparse
    await expect(readImageFile(at('large'))).rejects.toThrow(
      /large is a file of 1,073,741,825 bytes, more than the 1,073,741,824 that are read/,
    )
    expect(await readImageStart(at('large'), 5)).toEqual(new Uint8Array(5))
    await expect(readFileSlice(at('large'), 0, 2 ** 30 + 1)).rejects.toThrow(/too many to read/)
  })
  test('a part that the file does not have', async () => {
    await expect(readFileSlice(at('ten'), 4, 7)).rejects.toThrow(
      /ten ends at byte 10, inside a part of 7 bytes that begins at byte 4/,
    )
    await expect(readFileSlice(at('ten'), 400, 7)).rejects.toThrow(DecodeError)
  })
  test.runIf(existsSync('/proc/self/fd'))('no file stays open', async () => {
    const openFiles = () => readdirSync('/proc/self/fd').length
    const before = openFiles()
    for (let i = 0; i < 50; i++) {
      await readImageFile(at('ten'))
      await readImageFile(folder).catch(() => {})
      await readFileSlice(at('ten'), 4, 7).catch(() => {})
    }
    expect(openFiles()).toBeLessThanOrEqual(before + 1)
  })
})
