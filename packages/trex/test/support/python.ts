import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/**
 * The first Python that imports a module: `own`, TREX_BENCH_PYTHON, the engine's, python3. `why` is what the name of a test
 * says where there is none.
 */
export function pythonWith(module: string, own?: string): { python: string | null; why: string } {
  const candidates = [own, process.env.TREX_BENCH_PYTHON, pythonOfEngine(), 'python3']
  const python = candidates.find((path) => path !== undefined && imports(path, module)) ?? null
  return { python, why: python === null ? ` (skipped: no Python with ${module} here)` : '' }
}

/** Each Python that imports a module, one for each version of it; `version` is the expression that tells it. */
export function pythonsWith(
  module: string,
  version: string,
): { pythons: { python: string; version: string }[]; why: string } {
  const candidates = [process.env.TREX_BENCH_PYTHON, pythonOfEngine(), 'python3', '/usr/bin/python3']
  const found = new Map<string, string>()
  for (const path of candidates)
    if (path !== undefined && imports(path, module)) {
      const said = execFileSync(path, ['-c', `import ${module}; print(${version})`], {
        encoding: 'utf8',
      }).trim()
      if (!found.has(said)) found.set(said, path)
    }
  const pythons = [...found].map(([version, python]) => ({ python, version }))
  return { pythons, why: pythons.length ? '' : ` (skipped: no Python with ${module} here)` }
}

function pythonOfEngine(): string | undefined {
  const current = new URL('../../../torch/build/current.json', import.meta.url)
  return existsSync(current) ? (JSON.parse(readFileSync(current, 'utf8')).python ?? undefined) : undefined
}

function imports(python: string, module: string): boolean {
  try {
    execFileSync(python, ['-c', `import ${module}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
