/** Gets what the addon's build needs and the machine lacks: libtorch, a C++ compiler. */
import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  archiveDir,
  fastBlas,
  findLibtorch,
  isSupported,
  remedies,
} from '../../packages/torch/native/findLibtorch.mjs'
import { run, succeeds } from './command.mjs'

/** The release of the official archive, for machines whose package manager has no libtorch. */
const archiveVersion = '2.9.0'

/**
 * Installs libtorch: by apt, by Homebrew, or else from the official archive.
 * @param {(line: string) => void} log
 * @returns {Promise<import('../../packages/torch/native/findLibtorch.mjs').Libtorch>}
 * @throws with every way that was tried and why it failed, and the remedies
 */
export async function installLibtorch(log) {
  const ways = [
    ...(process.platform === 'linux' ? [['apt', () => aptInstall(['libtorch-dev', fastBlas], log)]] : []),
    ...(process.platform === 'darwin' ? [['brew', () => brewInstall(log)]] : []),
    ['archive', () => unpackArchive(log)],
  ]
  const failures = []
  for (const [name, install] of ways) {
    try {
      await install()
      const libtorch = findLibtorch()
      if (libtorch) return libtorch
      failures.push(`${name}: done, but no libtorch is found where it should be`)
    } catch (error) {
      if (failures.length < ways.length - 1) log(`${name}: ${error.message.split('\n')[0]}`)
      failures.push(`${name}: ${error.message}`)
    }
  }
  throw new Error(
    `libtorch is not on this machine and could not be installed.\n${failures.join('\n')}\n${remedies}`,
  )
}

/**
 * Installs a C++ compiler with apt.
 * @throws where apt is not there or fails; the message names the remedy
 */
export async function installCompiler(log) {
  const remedy =
    process.platform === 'darwin' ? 'xcode-select --install' : 'sudo apt-get install g++ (or set CXX)'
  try {
    await aptInstall(['g++'], log)
  } catch (error) {
    throw new Error(`no C++ compiler, and ${error.message}\nInstall one: ${remedy}`)
  }
}

/**
 * apt-get install of `packages` on Debian and its kin, as root or with sudo.
 * @throws when apt is not there, there is no way to be root, or a package cannot be had
 */
export async function aptInstall(packages, log) {
  if (!succeeds('apt-get')) throw new Error('there is no apt-get here')
  const { prefix, stdin } = asRoot(packages)
  const apt = (...args) => {
    const line = [
      ...prefix,
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'apt-get',
      '-o',
      'DPkg::Lock::Timeout=300',
    ]
    return run(line[0], [...line.slice(1), ...args], { stdio: [stdin, 'pipe', 'pipe'] })
  }
  log('apt-get update')
  // Lists that are out of date may still do; install says so if not.
  await apt('update').catch((error) => log(`apt-get update: ${error.message.split('\n').at(-1)}`))
  if (packages.includes('libtorch-dev')) await requireCandidate()
  log(`apt-get install ${packages.join(' ')} (minutes)`)
  await apt('install', '-y', '--no-install-recommends', ...packages)
}

/** How to run a command as root without asking where nobody can answer. */
function asRoot(packages) {
  if (process.getuid() === 0) return { prefix: [], stdin: 'ignore' }
  if (succeeds('sudo', ['-n', 'true'])) return { prefix: ['sudo', '-n'], stdin: 'ignore' }
  if (process.stdin.isTTY && succeeds('sudo')) return { prefix: ['sudo'], stdin: 'inherit' }
  throw new Error(`installing needs root: sudo apt-get install ${packages.join(' ')}`)
}

async function requireCandidate() {
  const policy = await run('apt-cache', ['policy', 'libtorch-dev'], { env: { ...process.env, LC_ALL: 'C' } })
  const version = policy.match(/Candidate:\s*(?:\d+:)?(\d+\.\d+[\d.]*)/)?.[1]
  if (!version) throw new Error('this release of the system has no libtorch-dev')
  if (!isSupported(version)) throw new Error(`libtorch-dev is ${version}, too old`)
}

async function brewInstall(log) {
  if (!succeeds('brew')) throw new Error('there is no brew here')
  log('brew install pytorch (minutes)')
  await run('brew', ['install', 'pytorch'])
}

async function unpackArchive(log) {
  const names = {
    'linux-x64': `libtorch-shared-with-deps-${archiveVersion}%2Bcpu.zip`,
    'darwin-arm64': `libtorch-macos-arm64-${archiveVersion}.zip`,
  }
  const platform = `${process.platform}-${process.arch}`
  if (!names[platform]) throw new Error(`there is no official archive for ${platform}`)
  const url = `https://download.pytorch.org/libtorch/cpu/${names[platform]}`
  const scratch = `${archiveDir}.${process.pid}`
  const zip = join(scratch, 'libtorch.zip')
  mkdirSync(scratch, { recursive: true })
  try {
    log(`downloading ${url}`)
    await download(url, zip)
    await unzip(zip, scratch)
    if (!existsSync(join(scratch, 'libtorch'))) throw new Error(`${url} holds no libtorch/`)
    rmSync(archiveDir, { recursive: true, force: true })
    renameSync(join(scratch, 'libtorch'), archiveDir)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function download(url, path) {
  let response
  try {
    response = await fetch(url)
  } catch (error) {
    throw new Error(`${url} cannot be reached (${error.cause?.message ?? error.message})`)
  }
  if (!response.ok || !response.body) throw new Error(`${url} answers ${response.status}`)
  await pipeline(Readable.fromWeb(response.body), createWriteStream(path))
}

async function unzip(zip, dir) {
  const tools = [
    ['unzip', ['-v'], ['-q', zip, '-d', dir]],
    ['python3', ['--version'], ['-m', 'zipfile', '-e', zip, dir]],
  ]
  const tool = tools.find(([command, probe]) => succeeds(command, probe))
  if (!tool) throw new Error('the archive needs unzip or python3 to unpack it: install one of them')
  await run(tool[0], tool[2])
}
