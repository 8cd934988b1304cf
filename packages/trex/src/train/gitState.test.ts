import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { gitState } from './gitState.js'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'trex-git-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(dir, { recursive: true, force: true })
})

const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
    cwd: dir,
    encoding: 'utf8',
  })

function commit(): string {
  git('init', '-q')
  writeFileSync(join(dir, 'a.txt'), 'a')
  git('add', '.')
  git('commit', '-qm', 'first')
  return git('rev-parse', 'HEAD').trim()
}

test('is the commit, and whether tracked files differ from it', () => {
  const head = commit()
  mkdirSync(join(dir, 'below'))
  writeFileSync(join(dir, 'below', 'untracked.txt'), '')
  expect(gitState(dir)).toEqual({ commit: head, dirty: false })
  writeFileSync(join(dir, 'a.txt'), 'changed')
  expect(gitState(join(dir, 'below'))).toEqual({ commit: head, dirty: true })
})

test('is null without a repository, a commit or git, and in a folder that is gone', () => {
  expect(gitState(dir)).toBeNull()
  git('init', '-q')
  expect(gitState(dir)).toBeNull()
  expect(gitState(join(dir, 'gone'))).toBeNull()
  vi.stubEnv('PATH', dir)
  expect(gitState(dir)).toBeNull()
})

test('runs no program that the repository names, and writes nothing', () => {
  const head = commit()
  const [trap, sprung] = [join(dir, 'trap.sh'), join(dir, 'sprung')]
  writeFileSync(trap, `#!/bin/sh\ntouch '${sprung}'\n`)
  chmodSync(trap, 0o755)
  git('config', 'core.fsmonitor', trap)
  git('config', 'core.hooksPath', dir)
  writeFileSync(join(dir, '.git', 'info', 'attributes'), '*.txt filter=odd=name.x\n*.bin filter=y\n')
  git('config', 'filter.odd=name.x.clean', trap)
  git('config', 'filter.odd=name.x.required', 'true')
  git('config', 'filter.y.process', trap)
  for (const hook of ['post-index-change', 'post-checkout'])
    writeFileSync(join(dir, hook), `#!/bin/sh\ntouch '${sprung}'\n`, { mode: 0o755 })
  rmSync(sprung, { force: true })
  const { mtimeMs } = statSync(join(dir, '.git', 'index'))
  writeFileSync(join(dir, 'a.txt'), 'a') // as before, but the index holds an older time
  expect(gitState(dir)).toEqual({ commit: head, dirty: false })
  expect(existsSync(sprung)).toBe(false)
  expect(statSync(join(dir, '.git', 'index')).mtimeMs).toBe(mtimeMs)
})
