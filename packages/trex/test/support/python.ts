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
