/**
 * Tests the second engine: builds the addon against another libtorch than the chosen one and runs the tests of
 * packages/torch and the golden tests of packages/trex with it. The chosen engine stays as it is.
 *
 *   node scripts/ciEngines.mjs               finds one, or installs one (pip into build/engines, apt as root)
 *   LIBTORCH=DIR node scripts/ciEngines.mjs  that one
 *
 * The last line is `N passed, N failed`; `skipped: why` comes before it when no other libtorch can be had.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildAddon } from '../packages/torch/native/buildAddon.mjs'
import { fastBlas, findLibtorch, inspectLibtorch } from '../packages/torch/native/findLibtorch.mjs'
import { run, succeeds } from './bootstrap/command.mjs'
import { aptInstall } from './bootstrap/installLibtorch.mjs'
import { runVitest, summaryLine } from './testRun.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const wheelVersion = '2.13.0'
const wheel = `torch==${wheelVersion}+cpu`
const wheelIndex = 'https://download.pytorch.org/whl/cpu'
const filters = ['packages/torch/', 'packages/trex/test/golden']

const counts = await testOther().catch((error) => {
  console.error(error.message)
  return { passed: 0, failed: 1, skipped: 0 }
})
console.log(summaryLine(counts))
process.exitCode = counts.failed > 0 ? 1 : 0

async function testOther() {
  const current = join(root, 'packages/torch/build/current.json')
  if (!existsSync(current)) throw new Error(`${current} is missing: run node scripts/bootstrap.mjs`)
  const first = JSON.parse(readFileSync(current, 'utf8'))
  const other = await anotherThan(first)
  if (typeof other === 'string') {
    console.log(`skipped: no engine besides libtorch ${first.version}: ${other}`)
    return { passed: 0, failed: 0, skipped: 1 }
  }
  console.log(`second engine: libtorch ${other.version} · ${other.source} · ${other.libDir}`)
  const { engine } = await buildAddon(other, { log: console.log })
  const path = join(engine.addon, '../engine.json')
  return runVitest(filters, { ...process.env, TREX_ENGINE: path })
}

/** A libtorch of another version than `first`, or why there is none. */
async function anotherThan(first) {
  const differs = (libtorch) => libtorch && libtorch.version !== first.version
  if (process.env.LIBTORCH) {
    const asked = findLibtorch()
    return differs(asked) ? asked : `LIBTORCH=${process.env.LIBTORCH} is the same version`
  }
  const reasons = []
  // What is there without installing: the system's (no Python, by an empty PATH), then a Python's.
  const there = [findLibtorch({}), findLibtorch()].find(differs)
  if (there) return there
  const ways = [...(first.version === wheelVersion ? [] : [['pip', installWheel]]), ['apt', installSystem]]
  for (const [name, install] of ways) {
    try {
      const libtorch = await install()
      if (differs(libtorch)) return libtorch
      reasons.push(`${name}: the same version`)
    } catch (error) {
      reasons.push(`${name}: ${error.message.split('\n').slice(-1)[0]}`)
    }
  }
  return reasons.join('; ')
}

/** The wheel alone, without its Python dependencies: it is unpacked for its libraries. */
async function installWheel() {
  const dir = join(root, 'build/engines', wheel.replace('==', '-'))
  const found = () => inspectLibtorch(join(dir, 'torch')).libtorch
  if (!found()) {
    const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--retries', '1', '--target', dir, wheel]
    const python = [process.env.PYTHON, 'python3', 'python'].find(
      (name) => name && succeeds(name, ['-m', 'pip', '--version']),
    )
    if (!python) throw new Error('no Python with pip')
    console.log(`${python} ${pip.join(' ')}`)
    rmSync(dir, { recursive: true, force: true })
    await run(python, pip).catch(() => run(python, [...pip, '--extra-index-url', wheelIndex]))
  }
  const libtorch = found()
  if (!libtorch) throw new Error(`${dir} holds no libtorch`)
  return { source: 'python', ...libtorch }
}

async function installSystem() {
  if (process.platform !== 'linux' || process.getuid() !== 0) throw new Error('not root on Debian or its kin')
  await aptInstall(['libtorch-dev', fastBlas], console.log)
  return findLibtorch({})
}
