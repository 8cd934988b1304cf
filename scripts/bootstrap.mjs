/**
 * Sets up all that a fresh checkout needs, and nothing that is there already: the npm packages, libtorch, the
 * addon built against it, the compiled TypeScript. `--quiet` prints failures only.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildAddon, detectCompiler, selectEngine } from '../packages/torch/native/buildAddon.mjs'
import { fastBlas, findLibtorch, usesReferenceBlas } from '../packages/torch/native/findLibtorch.mjs'
import { run } from './bootstrap/command.mjs'
import { installCompiler, installLibtorch } from './bootstrap/installLibtorch.mjs'
import { withLock } from './bootstrap/lock.mjs'
import { installPackages, packagesMissing } from './bootstrap/packages.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const log = process.argv.includes('--quiet') ? () => {} : console.log

try {
  requirePlatform()
  await withLock(join(root, 'build/bootstrap.lock'), bootstrap, log)
} catch (error) {
  console.error(`set-up failed: ${error.message}`)
  process.exitCode = 1
}

async function bootstrap() {
  const missing = packagesMissing(root)
  if (missing) {
    log(`npm packages: ${missing}; npm ci`)
    await installPackages(root)
  } else log('npm packages: up to date')

  const found = findLibtorch()
  const { LIBTORCH, PYTHON } = process.env
  if (PYTHON && !LIBTORCH && found?.source !== 'python')
    log(`note: PYTHON=${PYTHON} has no torch with headers`)
  const libtorch = found ?? (await installLibtorch(log))
  log(
    `libtorch ${libtorch.version} · ${libtorch.source} · ${libtorch.libDir}${libtorch.cuda ? ' · CUDA' : ''}`,
  )

  if (usesReferenceBlas(libtorch))
    log(`note: this libtorch multiplies matrices with the slow reference BLAS: apt-get install ${fastBlas}`)

  if (!process.env.CXX && !detectCompiler()) await installCompiler(log)
  const { engine, linked } = await buildAddon(libtorch, { log })
  selectEngine(engine)
  log(`addon: ${linked ? 'built' : 'up to date'}`)

  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'], {
    cwd: root,
    shownLines: 60,
  })
  log('typescript: up to date')
}

function requirePlatform() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const enough = major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)
  if (!enough) {
    throw new Error(
      `Node ${process.versions.node} is too old: install Node 20.19, 22.12 or newer (https://nodejs.org)`,
    )
  }
  if (process.platform !== 'linux' && process.platform !== 'darwin') {
    throw new Error(`${process.platform} is not supported: use Linux, macOS, or WSL 2 on Windows`)
  }
}
