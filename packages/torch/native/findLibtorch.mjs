/** Where libtorch is on this machine. Node built-ins only: this runs before any package is installed. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * @typedef {object} Libtorch
 * @property {'LIBTORCH'|'python'|'system'|'homebrew'|'archive'} source which step of the search found it
 * @property {string} root the directory that holds the headers and libraries
 * @property {string[]} includeDirs
 * @property {string} libDir
 * @property {string} version major.minor.patch
 * @property {boolean} cuda libtorch_cuda is there
 * @property {boolean} cxx11Abi std::string is the C++11 one (always, except for Linux wheels before 2.6)
 * @property {string} [python] the interpreter whose torch this is
 */

/** Where set-up unpacks the official archive. */
export const archiveDir = fileURLToPath(new URL('../build/libtorch', import.meta.url))

/** Debian's libtorch multiplies matrices with whatever BLAS is there; the reference one is tens of times slower. */
export const fastBlas = 'libopenblas0-openmp'

/** What to do where there is none. */
export const remedies = `Do one of these, then run the command again:
  sudo apt-get install libtorch-dev ${fastBlas} g++
                                                           Debian 12 or newer, Ubuntu 24.04 or newer
  brew install pytorch                                     macOS
  python3 -m venv .venv && .venv/bin/pip install torch     and set PYTHON=.venv/bin/python
  unpack an archive of https://pytorch.org/get-started     and set LIBTORCH=/path/to/libtorch`

const oldest = [1, 13]

/** Whether the addon can be built against `version` of libtorch: 1.13 or newer. */
export function isSupported(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1])
}

const libraryName = (name) => `lib${name}.${process.platform === 'darwin' ? 'dylib' : 'so'}`

const versionHeaders = ['torch/headeronly/version.h', 'torch/csrc/api/include/torch/version.h']

/**
 * Looks for the parts of libtorch under `root`; `missing` names those that are not there.
 * @returns {{ missing: string[], libtorch?: Omit<Libtorch, 'source'> }}
 */
export function inspectLibtorch(root) {
  const include = join(root, 'include')
  const libDirs = libraryDirs(root)
  const libDir = libDirs.find((dir) => existsSync(join(dir, libraryName('torch')))) ?? libDirs[0]
  const version = readVersion(include)

  const missing = []
  if (!existsSync(root)) return { missing: ['the directory itself'] }
  if (!existsSync(join(include, 'ATen/ATen.h'))) missing.push('include/ATen/ATen.h')
  if (!version) missing.push('include/torch/csrc/api/include/torch/version.h')
  for (const name of ['torch', 'torch_cpu', 'c10']) {
    if (!existsSync(join(libDir, libraryName(name)))) missing.push(`lib/${libraryName(name)}`)
  }
  if (version && !isSupported(version))
    missing.push(`a version of ${oldest.join('.')} or newer (it is ${version})`)
  if (missing.length > 0) return { missing }

  return {
    missing,
    libtorch: {
      root,
      includeDirs: [include, join(include, 'torch/csrc/api/include')],
      libDir,
      version,
      cuda: existsSync(join(libDir, libraryName('torch_cuda'))),
      cxx11Abi: hasCxx11Abi(join(libDir, libraryName('c10'))),
    },
  }
}

/**
 * The libtorch to build against, first match wins: `LIBTORCH`, a Python with torch, the system's
 * prefixes, Homebrew, an unpacked archive; null when there is none.
 * @param {NodeJS.ProcessEnv} env
 * @param {{ prefixes?: string[], homebrew?: string[], archive?: string }} [places] other places to look in
 * @returns {Libtorch | null}
 * @throws when `LIBTORCH` is set and holds no complete libtorch, or `PYTHON` is set and does not run
 */
export function findLibtorch(env = process.env, places = {}) {
  if (env.LIBTORCH) return { source: 'LIBTORCH', ...requireLibtorch(resolve(env.LIBTORCH)) }

  for (const python of pythons(env)) {
    const root = torchDirectory(python, env)
    const { libtorch } = root ? inspectLibtorch(root) : {}
    if (libtorch) return { source: 'python', ...libtorch, python }
  }

  const {
    prefixes = [...(env.CONDA_PREFIX ? [env.CONDA_PREFIX] : []), '/usr/local', '/usr'],
    homebrew = [
      '/opt/homebrew/opt/pytorch',
      '/usr/local/opt/pytorch',
      '/home/linuxbrew/.linuxbrew/opt/pytorch',
    ],
    archive = archiveDir,
  } = places
  const rest = [
    ...prefixes.map((root) => ['system', root]),
    ...homebrew.map((root) => ['homebrew', root]),
    ['archive', archive],
  ]
  for (const [source, root] of rest) {
    const { libtorch } = inspectLibtorch(root)
    if (libtorch) return { source, ...libtorch }
  }
  return null
}

/**
 * Whether a system's libtorch multiplies matrices with the reference BLAS, tens of times slower than OpenBLAS: Debian
 * links libblas.so.3 to one of several.
 * @param {Pick<Libtorch, 'libDir'>} libtorch
 */
export function usesReferenceBlas({ libDir }) {
  const blas = join(libDir, 'libblas.so.3')
  return existsSync(blas) && /\/blas\/libblas\.so/.test(realpathSync(blas))
}

function requireLibtorch(root) {
  const { libtorch, missing } = inspectLibtorch(root)
  if (libtorch) return libtorch
  const nested = ['torch', 'libtorch']
    .map((name) => join(root, name))
    .find((dir) => inspectLibtorch(dir).libtorch)
  throw new Error(
    `LIBTORCH=${root} is no libtorch: ${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} missing. ` +
      (nested
        ? `Set LIBTORCH=${nested}`
        : 'Point it at an unpacked libtorch archive or at a .../site-packages/torch, or unset it.'),
  )
}

function libraryDirs(root) {
  const lib = join(root, 'lib')
  const triple = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch]
  return [lib, join(root, 'lib64'), ...(triple ? [join(lib, triple)] : [])]
}

function readVersion(include) {
  for (const header of versionHeaders) {
    const path = join(include, header)
    if (!existsSync(path)) continue
    const text = readFileSync(path, 'utf8')
    const part = (name) => text.match(new RegExp(`#define\\s+TORCH_VERSION_${name}\\s+(\\d+)`))?.[1]
    if (part('MAJOR') && part('MINOR')) return [part('MAJOR'), part('MINOR'), part('PATCH') ?? '0'].join('.')
  }
  return undefined
}

/** libc10 exports functions that take a std::string; `Ss` is the mangled name of the old one. */
function hasCxx11Abi(libc10) {
  return !readFileSync(libc10).includes('torchCheckFailEPKcS2_jRKSs')
}

/** The interpreters to ask: `PYTHON`, the active environment's, those on PATH. */
function pythons(env) {
  const onPath = (name) =>
    (env.PATH ?? '')
      .split(delimiter)
      .map((dir) => join(dir, name))
      .find((path) => existsSync(path))
  const found = [env.VIRTUAL_ENV && join(env.VIRTUAL_ENV, 'bin/python'), onPath('python3'), onPath('python')]
  if (env.PYTHON) {
    const asked = env.PYTHON.includes('/') ? resolve(env.PYTHON) : onPath(env.PYTHON)
    if (!asked || ask(asked, 'print(1)', env) !== '1') {
      throw new Error(`PYTHON=${env.PYTHON} does not run: correct or unset it`)
    }
    found.unshift(asked)
  }
  return [...new Set(found)].filter((path) => path && existsSync(path))
}

/** Where `python` would import torch from; found without importing it, which takes seconds. */
function torchDirectory(python, env) {
  const find =
    'from importlib.util import find_spec; s = find_spec("torch"); print(s.origin if s and s.origin else "")'
  const origin = ask(python, find, env)
  return origin && existsSync(origin) ? dirname(realpathSync(origin)) : undefined
}

/** What a line of Python prints; undefined where that Python does not work. */
function ask(python, line, env) {
  // From `/`, so that a directory named torch in the working directory is not mistaken for the package.
  const options = { cwd: '/', env, encoding: 'utf8', timeout: 30_000, stdio: ['ignore', 'pipe', 'ignore'] }
  try {
    return execFileSync(python, ['-c', line], options).trim()
  } catch {
    return undefined
  }
}
