/**
 * Makes what users install: `node scripts/pack.mjs [OUT]` writes `trex-torch-<version>.tgz` and `trex-<version>.tgz`,
 * which has trex-torch inside, to OUT (build/packages). npm cannot bundle a hoisted workspace: so each package is
 * put together in a folder of its own. The last line is JSON: the files and their sizes in bytes.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './bootstrap/command.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = resolve(process.argv[2] ?? join(root, 'build/packages'))

try {
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'], { cwd: root })
  rmSync(join(out, 'stage'), { recursive: true, force: true })
  const torch = stage('torch')
  const trex = stage('trex', ['trex-torch'])
  cpSync(torch, join(trex, 'node_modules/trex-torch'), { recursive: true })
  const packed = [await pack(torch), await pack(trex)]
  rmSync(join(out, 'stage'), { recursive: true })
  console.log(JSON.stringify(packed))
} catch (error) {
  console.error(`packing failed: ${error.message}`)
  process.exitCode = 1
}

/** Puts a package together that will have the `bundled` ones inside; its folder. */
function stage(name, bundled = []) {
  const [from, to] = [join(root, 'packages', name), join(out, 'stage', name)]
  const { devDependencies, ...manifest } = readJson(join(from, 'package.json'))
  for (const file of manifest.files) copy(from, to, file)
  copy(from, to, 'README.md')
  copy(root, to, 'LICENSE')
  copy(root, to, 'NOTICE')
  manifest.files.push('NOTICE')
  manifest.bundleDependencies = bundled
  // npm does not install what bundled packages depend on.
  for (const inner of bundled)
    Object.assign(
      manifest.dependencies,
      readJson(join(root, 'node_modules', inner, 'package.json')).dependencies,
    )
  write(join(to, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  return to
}

function copy(from, to, file) {
  if (file === 'dist') return copyCompiled(join(from, 'src'), join(from, 'dist'), join(to, 'dist'))
  cpSync(join(from, file), join(to, file), { recursive: true })
}

/** What tsc made of the sources that are there now; without maps, whose sources are not packed. */
function copyCompiled(src, dist, to) {
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const source = /^(.*?)(\.d\.ts|\.js)$/.exec(name)
    if (!source || !existsSync(join(src, `${source[1]}.ts`))) continue
    write(join(to, name), readFileSync(join(dist, name), 'utf8').replace(/\/\/# sourceMappingURL=.*\s*$/, ''))
  }
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

async function pack(folder) {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', out]
  const printed = await run('npm', args, { cwd: folder })
  const [{ filename, size, unpackedSize, entryCount }] = JSON.parse(printed.slice(printed.indexOf('[')))
  return { file: join(out, filename), size, unpackedSize, files: entryCount }
}
