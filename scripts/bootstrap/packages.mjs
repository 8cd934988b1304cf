/** The npm packages of package-lock.json: are they there, and if not, npm ci. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { run } from './command.mjs'

const platform = `${process.platform}-${process.arch}`

/**
 * Why node_modules does not hold what package-lock.json asks for; undefined when it does.
 * @param {string} root the workspace
 * @returns {string | undefined}
 */
export function packagesMissing(root) {
  const wanted = readPackages(join(root, 'package-lock.json'))
  const present = readPackages(join(root, 'node_modules/.package-lock.json'))
  if (!wanted) throw new Error(`${root} has no package-lock.json`)
  if (!present) return 'no node_modules'
  const stamp = join(root, 'node_modules/.trex-platform')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') !== platform) return 'installed for another platform'

  for (const [path, { version, link, optional, devOptional }] of Object.entries(wanted)) {
    if (!path.includes('node_modules/')) continue
    const required = !optional && !devOptional
    if (!present[path] && !required) continue
    if (!link && present[path]?.version !== version) return `${path} is not ${version}`
    if (!existsSync(join(root, path, 'package.json'))) return `${path} is missing`
  }
  if (!existsSync(stamp)) writeFileSync(stamp, platform)
  return undefined
}

/**
 * Installs the npm packages from the lockfile.
 * @throws when npm fails
 */
export async function installPackages(root) {
  // The npm that runs this script where one does; otherwise the one on PATH.
  const self = process.env.npm_execpath
  const [command, ...args] = basename(self ?? '') === 'npm-cli.js' ? [process.execPath, self] : ['npm']
  try {
    await run(
      command,
      [...args, 'ci', '--include=dev', '--prefer-offline', '--no-audit', '--no-fund', '--no-update-notifier'],
      {
        cwd: root,
        shownLines: 60,
      },
    )
  } catch (error) {
    throw new Error(
      `${error.message}\nCheck that the npm registry can be reached (npm ping) and that ${root} can be written`,
    )
  }
  writeFileSync(join(root, 'node_modules/.trex-platform'), platform)
}

function readPackages(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : undefined
}
