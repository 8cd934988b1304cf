import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A folder that is present and whole, and what was recorded when it was built. */
export interface Prepared<T> {
  folder: string
  record: T
  reused: boolean
}

/**
 * Builds a folder once: `<cacheDir>/<name>-<hash of params>`, complete or absent at any moment.
 *
 * `build` writes into a temporary folder beside it, which is renamed when it is whole; a folder already
 * there is taken as it is. Different params have different folders, so nothing is ever overwritten.
 */
export async function prepareOnce<T>(
  cacheDir: string,
  name: string,
  params: unknown,
  build: (folder: string) => Promise<T>,
): Promise<Prepared<T>> {
  const key = createHash('sha256').update(JSON.stringify(params)).digest('hex').slice(0, 10)
  const folder = join(cacheDir, `${name}-${key}`)
  const stamp = join(folder, 'prepared.json')
  const present = await readRecord<T>(stamp)
  if (present) return { folder, record: present.record, reused: true }

  await mkdir(cacheDir, { recursive: true })
  const partial = join(cacheDir, `.${name}-${key}.${randomUUID()}`)
  try {
    await mkdir(partial)
    const record = await build(partial)
    await writeFile(join(partial, 'prepared.json'), `${JSON.stringify({ params, record }, null, 2)}\n`)
    try {
      await rename(partial, folder)
    } catch (error) {
      // Another process finished the same folder first: its pictures are the same as ours.
      const theirs = await readRecord<T>(stamp)
      if (!theirs) throw error
      return { folder, record: theirs.record, reused: true }
    }
    return { folder, record, reused: false }
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

async function readRecord<T>(stamp: string): Promise<{ record: T } | undefined> {
  try {
    return JSON.parse(await readFile(stamp, 'utf8')) as { record: T }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
