import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { lockRun, otherHolder } from './runLock.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-lock-'))
const path = join(dir, 'lock')
afterEach(() => rmSync(path, { force: true }))

test('a lock is there until it is released', () => {
  {
    using _lock = lockRun(dir)
    expect(existsSync(path)).toBe(true)
    expect(otherHolder(dir)).toBeNull()
  }
  expect(existsSync(path)).toBe(false)
})

test('a living process keeps others out', () => {
  writeFileSync(path, `${hostname()} ${process.ppid}\n`)
  expect(() => lockRun(dir)).toThrow(`${dir} is in use by process ${process.ppid} on ${hostname()}`)
  expect(existsSync(path)).toBe(true)
})

test('a process on another machine is believed', () => {
  writeFileSync(path, 'elsewhere 1\n')
  expect(() => lockRun(dir)).toThrow('in use by process 1 on elsewhere')
})

test.each([
  ['a dead process', () => `${hostname()} ${spawnSync(process.execPath, ['--version']).pid}\n`],
  ['a lock cut short', () => ''],
])('%s is taken over from', (_, text) => {
  writeFileSync(path, text())
  lockRun(dir)[Symbol.dispose]()
  expect(existsSync(path)).toBe(false)
})

test('a folder that is gone is an error that names it', () => {
  expect(() => lockRun(join(dir, 'gone'))).toThrow(/gone\/lock cannot be written: ENOENT/)
})
