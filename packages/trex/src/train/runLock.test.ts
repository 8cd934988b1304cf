import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { TrexError } from '../errors.js'
import { holderOf, lockRun, otherHolder } from './runLock.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-lock-'))
const path = join(dir, 'lock')
afterEach(() => rmSync(path, { force: true }))

test('a lock is there until it is released', () => {
  {
    using _lock = lockRun(dir)
    expect(readdirSync(dir)).toEqual(['lock'])
    expect(holderOf(dir)).toEqual({ host: hostname(), pid: String(process.pid) })
    expect(otherHolder(dir)).toBeNull()
  }
  expect(readdirSync(dir)).toEqual([])
})

test('it keeps this process out, too, and is not released by who was kept out', () => {
  using _lock = lockRun(dir)
  const held = readFileSync(path, 'utf8')
  expect(() => lockRun(dir)).toThrow(`${dir} is in use by process ${process.pid} on ${hostname()}`)
  expect(readFileSync(path, 'utf8')).toBe(held)
  expect(readdirSync(dir)).toEqual(['lock'])
})

test('a lock that has come in its place is not released', () => {
  const lock = lockRun(dir)
  writeFileSync(path, 'elsewhere 1\n')
  lock[Symbol.dispose]()
  expect(readFileSync(path, 'utf8')).toBe('elsewhere 1\n')
})

test('a living process keeps others out', () => {
  writeFileSync(path, `${hostname()} ${process.ppid}\n`)
  expect(() => lockRun(dir)).toThrow(`${dir} is in use by process ${process.ppid} on ${hostname()}`)
  expect(existsSync(path)).toBe(true)
})

test('a process on another machine is believed, and what to do about it is said', () => {
  writeFileSync(path, 'elsewhere 1\n')
  try {
    lockRun(dir)
    expect.unreachable()
  } catch (error) {
    const { message, hint } = error as TrexError
    expect(error).toBeInstanceOf(TrexError)
    expect(message).toBe(`${dir} is in use by process 1 on elsewhere, says ${path}`)
    expect(hint).toMatch(/another machine.* stop it there; if it is gone, remove .*lock$/)
  }
})

const boot = '11111111-2222-3333-4444-555555555555'
test.each([
  ['a dead process', () => `${hostname()} ${spawnSync(process.execPath, ['--version']).pid}\n`],
  ['a process of the same number, started at another time', () => `${hostname()} ${process.ppid} 1 -\n`],
  ['a machine that has started anew since', () => `${hostname()} ${process.ppid} - ${boot}\n`],
  ['a lock cut short', () => ''],
])('%s is taken over from', (_, text) => {
  writeFileSync(path, text())
  lockRun(dir)[Symbol.dispose]()
  expect(readdirSync(dir)).toEqual([])
})

test('of many processes that want a stale lock at once exactly one has it', async () => {
  const module = new URL('../../dist/train/runLock.js', import.meta.url).href
  const script = `
    import { lockRun } from '${module}'
    process.stdin.once('data', () => {
      let said = 'lost'
      try { lockRun(process.argv[1]); said = 'won' } catch (error) {
        if (!/ is in use by /.test(error.message)) said = error.message
      }
      process.stdout.write(said)
    }).once('end', () => process.exit())
    process.stdout.write('ready ')`
  writeFileSync(path, `${hostname()} ${spawnSync(process.execPath, ['--version']).pid}\n`)
  const children = Array.from({ length: 8 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', script, dir], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  )
  const said = children.map(() => '')
  const says = (pattern: RegExp) =>
    Promise.all(
      children.map(
        (child, i) =>
          new Promise<void>((done) => {
            const look = () => pattern.test(said[i]!) && done()
            child.stdout.on('data', look)
            look()
          }),
      ),
    )
  children.forEach((child, i) => {
    child.stdout.on('data', (text) => {
      said[i] += text
    })
  })
  await says(/^ready /)
  for (const child of children) child.stdin.write('go')
  await says(/^ready .+/)
  expect(said.map((text) => text.slice('ready '.length)).sort()).toEqual([...Array(7).fill('lost'), 'won'])
  await Promise.all(
    children.map((child) => {
      child.stdin.end()
      return new Promise((done) => child.on('close', done))
    }),
  )
  expect(readdirSync(dir)).toEqual([]) // the one that had it has released it
})

test('a folder that is gone is an error that names it', () => {
  expect(() => lockRun(join(dir, 'gone'))).toThrow(/gone\/lock cannot be written: ENOENT/)
})
