/** Builds the addon against the libtorch that findLibtorch finds, and makes it the engine; installs nothing. */
import { buildAddon, selectEngine } from '../../packages/torch/native/buildAddon.mjs'
import { findLibtorch } from '../../packages/torch/native/findLibtorch.mjs'

const libtorch = findLibtorch()
if (!libtorch) throw new Error('no libtorch with headers: set PYTHON to a Python with PyTorch, or LIBTORCH')
const { engine } = await buildAddon(libtorch, { log: console.log })
selectEngine(engine)
console.log(`libtorch ${engine.version} · ${engine.libDir}${engine.cuda ? ' · CUDA' : ''}`)
