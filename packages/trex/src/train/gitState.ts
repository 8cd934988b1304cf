import { spawnSync } from 'node:child_process'

/** What a working directory's repository has checked out; `dirty` is null when git could not tell in time. */
export interface GitState {
  readonly commit: string
  /** Whether files that git tracks differ from the commit. */
  readonly dirty: boolean | null
}

const PATIENCE_MS = 3000

/**
 * The state of the git repository that holds a folder; null without a repository, a commit or git. No program that the
 * repository names is run: neither hooks nor filters. A file that a filter changes counts as different once it has been
 * written again.
 */
export function gitState(dir: string): GitState | null {
  const commit = git(dir, ['rev-parse', '--verify', 'HEAD'])?.trim()
  if (!commit) return null
  const filters = git(dir, ['config', '--null', '--name-only', '--get-regexp', FILTERS])?.split('\0') ?? []
  const off = filters
    .filter(Boolean)
    .map((name) => [name, name.endsWith('.required') ? 'false' : ''] as const)
  const status = ['status', '--porcelain', '--untracked-files=no', '--ignore-submodules=dirty']
  const changes = git(dir, status, off)
  return { commit, dirty: changes === null ? null : changes !== '' }
}

/** Settings of what git runs on a file before it compares it. */
const FILTERS = '^filter\\..*\\.(clean|process|required)$'

/** What git prints, with these settings; null when it fails, is not there, or takes too long. */
function git(
  dir: string,
  args: readonly string[],
  settings: readonly (readonly [name: string, value: string])[] = [],
): string | null {
  // A file system monitor is a program of the repository's choice, too; without locks nothing of it is written.
  const quiet = ['--no-optional-locks', '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null']
  const { GIT_DIR, GIT_WORK_TREE, GIT_INDEX_FILE, ...own } = process.env
  const before = Number(own.GIT_CONFIG_COUNT ?? 0) || 0 // such as safe.directory, as containers are given it
  const given = settings.flatMap(([name, value], i) => [
    [`GIT_CONFIG_KEY_${before + i}`, name],
    [`GIT_CONFIG_VALUE_${before + i}`, value],
  ])
  // A part that a partial clone lacks would be fetched by a program of the repository's choice.
  const env = {
    ...own,
    GIT_NO_LAZY_FETCH: '1',
    GIT_CONFIG_COUNT: `${before + settings.length}`,
    ...Object.fromEntries(given),
  }
  const { status, stdout } = spawnSync('git', [...quiet, ...args], {
    ...{ cwd: dir, env, encoding: 'utf8', timeout: PATIENCE_MS, maxBuffer: 64 << 20 },
    ...{ stdio: ['ignore', 'pipe', 'ignore'], windowsHide: true },
  })
  return status === 0 ? stdout : null
}
