/** Compiles native/*.cc against a libtorch into addon.node; objects are rebuilt only when their inputs change. */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, totalmem } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packageDir = fileURLToPath(new URL('..', import.meta.url))

/**
 * @typedef {object} Engine what engine.json says of a built addon
 * @property {string} version of libtorch
 * @property {string} source see Libtorch
 * @property {string} root
 * @property {string} libDir
 * @property {boolean} cuda
 * @property {boolean} cxx11Abi
 * @property {string | null} python
 * @property {string} compiler
 * @property {string} addon path of addon.node
 * @property {string} sourceHash of all that the addon was built from
 */

/**
 * Builds the addon for `libtorch` in `buildDir/<version>-<hash of root>/`.
 * @param {import('./findLibtorch.mjs').Libtorch} libtorch
 * @param {{ nativeDir?: string, buildDir?: string, env?: NodeJS.ProcessEnv, log?: (line: string) => void }} [options]
 * @returns {Promise<{ engine: Engine, compiled: number, linked: boolean }>}
 * @throws when there is no compiler, the compiler fails (its output is in the message), or the result does not load
 */
export async function buildAddon(libtorch, options = {}) {
  const { nativeDir = join(packageDir, 'native'), buildDir = join(packageDir, 'build') } = options
  const { env = process.env, log = () => {} } = options
  const compiler = findCompiler(env)
  const flags = compilerFlags(libtorch, env)
  const linkFlags = linkerFlags(libtorch, env)
  const outDir = join(buildDir, `${libtorch.version}-${hash(libtorch.root).slice(0, 8)}`)
  const objectDir = join(outDir, 'objects')
  mkdirSync(objectDir, { recursive: true })

  const sources = readdirSync(nativeDir).filter((name) => name.endsWith('.cc'))
  if (sources.length === 0) throw new Error(`${nativeDir} has no *.cc`)
  const library = statSync(
    join(libtorch.libDir, process.platform === 'darwin' ? 'libc10.dylib' : 'libc10.so'),
  )
  const toolchain = [compiler.version, ...flags, libtorch.version, library.size, library.mtimeMs].join('\n')
  const objects = sources.map((name) => {
    const key = hash(toolchain, ...sourceTexts(nativeDir, name)).slice(0, 16)
    return { name, source: join(nativeDir, name), key, path: join(objectDir, `${name}.${key}.o`) }
  })
  const engine = {
    version: libtorch.version,
    source: libtorch.source,
    root: libtorch.root,
    libDir: libtorch.libDir,
    cuda: libtorch.cuda,
    cxx11Abi: libtorch.cxx11Abi,
    python: libtorch.python ?? null,
    compiler: compiler.version,
    addon: join(outDir, 'addon.node'),
    sourceHash: hash(...linkFlags, ...objects.map((object) => `${object.name} ${object.key}`)),
  }
  const built = readEngine(join(outDir, 'engine.json'))
  if (built?.sourceHash === engine.sourceHash && existsSync(engine.addon)) {
    if (JSON.stringify(built) !== JSON.stringify(engine)) writeEngine(join(outDir, 'engine.json'), engine)
    return { engine, compiled: 0, linked: false }
  }

  const stale = objects.filter((object) => !existsSync(object.path))
  await eachInParallel(stale, async ({ name, source, path }) => {
    const temporary = `${path}.${process.pid}`
    const started = Date.now()
    await runCompiler(compiler, [...flags, '-c', source, '-o', temporary], libtorch)
    renameSync(temporary, path)
    log(`addon: compiled ${name} in ${((Date.now() - started) / 1000).toFixed(1)} s`)
  })

  const temporary = join(outDir, `addon.${process.pid}.node`)
  const inputs = objects.map((object) => object.path)
  await runCompiler(compiler, ['-shared', '-o', temporary, ...inputs, ...linkFlags], libtorch)
  checkLoads(temporary, libtorch)
  renameSync(temporary, engine.addon)
  writeEngine(join(outDir, 'engine.json'), engine)
  for (const file of readdirSync(objectDir)) {
    if (!inputs.includes(join(objectDir, file))) rmSync(join(objectDir, file), { force: true })
  }
  return { engine, compiled: stale.length, linked: true }
}

/** Makes `engine` the one that trex-torch loads, by writing build/current.json. */
export function selectEngine(engine, buildDir = join(packageDir, 'build')) {
  const path = join(buildDir, 'current.json')
  if (JSON.stringify(readEngine(path)) !== JSON.stringify(engine)) writeEngine(path, engine)
}

/**
 * The C++ compiler: `CXX`, else the first of c++, g++, clang++ that runs.
 * @returns {{ command: string, args: string[], version: string } | null}
 */
export function detectCompiler(env = process.env) {
  for (const candidate of env.CXX ? [env.CXX] : ['c++', 'g++', 'clang++']) {
    const [command, ...args] = candidate.trim().split(/\s+/)
    const { status, stdout } = spawnSync(command, [...args, '--version'], { env, encoding: 'utf8' })
    if (status === 0) return { command, args, version: stdout.split('\n')[0] }
  }
  return null
}

function findCompiler(env) {
  const compiler = detectCompiler(env)
  if (compiler) return compiler
  const remedy = process.platform === 'darwin' ? 'xcode-select --install' : 'apt-get install g++'
  throw new Error(
    env.CXX
      ? `CXX=${env.CXX} does not run; unset it or name a C++ compiler`
      : `no C++ compiler: install one (${remedy}) or set CXX`,
  )
}

function compilerFlags(libtorch, env) {
  const [major, minor] = libtorch.version.split('.').map(Number)
  const standard = major > 2 || (major === 2 && minor >= 8) ? 'c++20' : 'c++17'
  const require = createRequire(import.meta.url)
  const includes = [require('node-api-headers').include_dir, ...libtorch.includeDirs]
  return [
    '-O2',
    '-fPIC',
    `-std=${standard}`,
    '-fvisibility=hidden',
    '-DNAPI_VERSION=8',
    `-D_GLIBCXX_USE_CXX11_ABI=${libtorch.cxx11Abi ? 1 : 0}`,
    // /usr/include is searched anyway; naming it would break the compiler's own #include_next.
    ...includes.filter((dir) => dir !== '/usr/include').flatMap((dir) => ['-isystem', dir]),
    ...words(env.CXXFLAGS),
  ]
}

function linkerFlags({ libDir, cuda }, env) {
  const mac = process.platform === 'darwin'
  return [
    `-L${libDir}`,
    `-Wl,-rpath,${libDir}`,
    ...(mac ? ['-undefined', 'dynamic_lookup'] : []),
    // Nothing of the addon refers to the CUDA libraries: they register their kernels when they load.
    ...(cuda && !mac ? ['-Wl,--no-as-needed', '-ltorch_cuda', '-lc10_cuda', '-Wl,--as-needed'] : []),
    '-ltorch',
    '-ltorch_cpu',
    '-lc10',
    ...words(env.LDFLAGS),
  ]
}

const words = (text = '') => text.split(/\s+/).filter(Boolean)

/** The text of a source and of every header beside it that it includes, directly or not. */
function sourceTexts(dir, name, seen = new Set()) {
  seen.add(name)
  const text = readFileSync(join(dir, name), 'utf8')
  const headers = [...text.matchAll(/^\s*#\s*include\s+"([^"]+)"/gm)].map((match) => match[1])
  const own = headers.filter((header) => !seen.has(header) && existsSync(join(dir, header)))
  return [text, ...own.flatMap((header) => (seen.has(header) ? [] : sourceTexts(dir, header, seen)))]
}

/** As many at a time as there are cores, and 2 GiB of memory for each. */
async function eachInParallel(items, work) {
  const queue = [...items]
  const width = Math.max(1, Math.min(availableParallelism(), Math.floor(totalmem() / 2 ** 31)))
  const worker = async () => {
    for (let item = queue.shift(); item; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: width }, worker))
}

async function runCompiler(compiler, args, libtorch) {
  const child = spawn(compiler.command, [...compiler.args, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  const [code, signal] = await new Promise((done, fail) => {
    child.on('error', fail)
    child.on('close', (...how) => done(how))
  })
  if (code === 0) return
  const source = args[args.indexOf('-c') + 1]
  const what = args.includes('-c') ? `compiling ${basename(source)}` : 'linking addon.node'
  throw new Error(
    `${what} failed (${signal ? `signal ${signal}` : `exit ${code}`}):\n${output.trimEnd()}\n` +
      `command: ${compiler.command} ${[...compiler.args, ...args].join(' ')}\n` +
      `Check: the compiler (${compiler.version}) is g++ 10 / clang 12 or newer (choose another with CXX=...); ` +
      `libtorch ${libtorch.version} in ${libtorch.root} is complete (choose another with LIBTORCH=...)` +
      (signal || /Killed/.test(output) ? '; there is enough memory (2 GiB a compiler)' : ''),
  )
}

/** Loads the addon in a child process, so that one that cannot be loaded is found here. */
function checkLoads(addon, libtorch) {
  const { status, stderr } = spawnSync(process.execPath, ['-e', 'require(process.argv[1])', addon], {
    encoding: 'utf8',
  })
  if (status === 0) return
  rmSync(addon, { force: true })
  const reason = stderr.split('\n').find((line) => line.startsWith('Error:')) ?? stderr.trim()
  throw new Error(
    `the addon was built but does not load: ${reason}\n` +
      `Check that libtorch ${libtorch.version} in ${libtorch.libDir} works by itself and is for ${process.arch}`,
  )
}

function readEngine(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined // absent or cut short: built again
  }
}

function writeEngine(path, engine) {
  const temporary = `${path}.${process.pid}`
  writeFileSync(temporary, `${JSON.stringify(engine, null, 2)}\n`)
  renameSync(temporary, path)
}

function hash(...parts) {
  const sum = createHash('sha256')
  for (const part of parts) sum.update(`${part.length}:`).update(part)
  return sum.digest('hex')
}
