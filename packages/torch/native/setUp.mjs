/**
 * Makes an installed trex-torch ready: `node setUp.mjs` finds libtorch and builds the addon for it. In a checkout
 * scripts/bootstrap.mjs does this, and installs what is missing besides.
 */
import { buildAddon, selectEngine } from './buildAddon.mjs'
import { findLibtorch, remedies } from './findLibtorch.mjs'

try {
  const libtorch = findLibtorch()
  if (!libtorch) throw new Error(`there is no libtorch on this machine.\n${remedies}`)
  console.log(`libtorch ${libtorch.version} · ${libtorch.source} · ${libtorch.libDir}`)
  const { engine, linked } = await buildAddon(libtorch, { log: console.log })
  selectEngine(engine)
  console.log(`addon: ${linked ? 'built' : 'up to date'}`)
} catch (error) {
  console.error(`set-up failed: ${error.message}`)
  process.exitCode = 1
}
