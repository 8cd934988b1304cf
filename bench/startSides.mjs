/** Starting the programs of a benchmark. */
import { startChild } from './child.mjs'
import { findPython, selectedEngine } from './python.mjs'
import { parseSide, sideCommand } from './sides.mjs'

/**
 * Starts the sides one after another, trex first (it knows the engine's version, which chooses the Python).
 * @param {import('./benchmarks.mjs').Benchmark} benchmark
 */
export async function startSides({ script, settings, sides }) {
  const parsed = sides.map(parseSide)
  const skipped = /** @type {{ side: string, why: string }[]} */ ([])
  const started = new Map()
  const env = { ...process.env, OMP_NUM_THREADS: String(settings.threads) }

  for (const side of parsed.filter(({ program }) => program !== 'torch')) {
    const { command, args } = sideCommand(side, script, settings, undefined)
    started.set(side.name, await startChild(side.name, command, args, { ...env, ...side.env }))
  }
  const engine = selectedEngine()
  const version = [...started.values()][0]?.hello.torch ?? engine?.version
  const peers = parsed.filter(({ program }) => program === 'torch')
  const { python, why = '' } = peers.length ? await findPython(version, engine?.python) : {}
  for (const side of peers) {
    if (!python) {
      skipped.push({ side: side.name, why })
      continue
    }
    const { command, args } = sideCommand(side, script, settings, python.path)
    started.set(side.name, await startChild(side.name, command, args, { ...env, ...side.env }))
  }
  const ready = sides.filter((name) => started.has(name)).map((name) => ({ name, child: started.get(name) }))
  return { ready, skipped }
}
