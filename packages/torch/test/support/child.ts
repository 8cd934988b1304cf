import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packageRoot = fileURLToPath(new URL('../..', import.meta.url))
const tsc = join(packageRoot, '../../node_modules/typescript/bin/tsc')

/** Compiles the package when its `dist/` is missing or older than a source: child processes and workers run it. */
export function ensureDist(): void {
  const output = join(packageRoot, 'dist/index.js')
  const sources = readdirSync(join(packageRoot, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map(
      (name) =>
        [join(packageRoot, 'src', name), join(packageRoot, 'dist', name.replace(/\.ts$/, '.js'))] as const,
    )
  const fresh = sources.every(
    ([from, to]) => existsSync(to) && statSync(to).mtimeMs >= statSync(from).mtimeMs,
  )
  if (fresh) return
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', packageRoot], { encoding: 'utf8' })
  if (!existsSync(output)) throw new Error(`tsc -p ${packageRoot} failed with status ${status}:\n${stdout}`)
}

/** Runs a script in a process of its own, so that an abort is seen. */
export function runScript(
  path: string,
  {
    args = [],
    flags = [],
    env = {},
    timeout = 100_000,
  }: { args?: string[]; flags?: string[]; env?: NodeJS.ProcessEnv; timeout?: number } = {},
): { status: number | null; signal: string | null; lines: string[]; stderr: string } {
  const script = join(packageRoot, path)
  const child = spawnSync(process.execPath, [...flags, script, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout,
    env: { ...process.env, OMP_WAIT_POLICY: 'passive', ...env }, // threads that spin while they wait would fight for two cores
  })
  return {
    status: child.status,
    signal: child.signal,
    lines: child.stdout.trimEnd().split('\n'),
    stderr: child.stderr,
  }
}
