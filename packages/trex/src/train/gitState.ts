import { spawnSync } from 'node:child_process'

/** What a working directory's repository has checked out; `dirty` is null when git could not tell in time. */
export interface GitState {
  readonly commit: string
  /** Whether files that git tracks differ from the commit. */
  readonly dirty: boolean | null
}

const PATIENCE_MS = 3000

/** The state of the git repository that holds a folder; null without a repository, a commit or git. Runs no hooks. */
export function gitState(dir: string): GitState | null {
  const commit = git(dir, ['rev-parse', '--verify', 'HEAD'])?.trim()
  if (!commit) return null
  const changes = git(dir, ['status', '--porcelain', '--untracked-files=no', '--ignore-submodules=dirty'])
  return { commit, dirty: changes === null ? null : changes !== '' }
}

/** What git prints; null when it fails, is not there, or takes too long. */
function git(dir: string, args: readonly string[]): string | null {
  // A file system monitor is a program of the repository's choice, too; without locks nothing of it is written.
  const quiet = ['--no-optional-locks', '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null']
  const { GIT_DIR, GIT_WORK_TREE, GIT_INDEX_FILE, ...env } = process.env
  const { status, stdout } = spawnSync('git', [...quiet, ...args], {
    ...{ cwd: dir, env, encoding: 'utf8', timeout: PATIENCE_MS, maxBuffer: 64 << 20 },
    ...{ stdio: ['ignore', 'pipe', 'ignore'], windowsHide: true },
  })
  return status === 0 ? stdout : null
}
