import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { RemoteFile } from './httpFile.js'
import type { ShardIndex } from './shardIndex.js'

/** Raised whenever the index of the same archive may come out differently. */
const VERSION = 1

const place = z.number().int().nonnegative()
const counts = z.record(z.string(), z.number())
const indexSchema = z.object({
  members: z.array(
    z.object({
      kind: z.enum(['image', 'cls', 'json']),
      name: z.string(),
      offset: place,
      size: place,
      problem: z.string().optional(),
      badName: z.boolean().optional(),
      label: z.union([z.number(), z.string(), z.null()]).optional(),
    }),
  ),
  folders: z.array(z.string()),
  ignored: counts,
})
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** Where indexes of shards on servers are kept: $XDG_CACHE_HOME/trex/shards, else ~/.cache/trex/shards. */
export function shardCacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'trex', 'shards')
}

/** The kept index of exactly this version of a file; null where there is none, or it is damaged. */
export async function loadShardIndex(file: RemoteFile): Promise<ShardIndex | null> {
  try {
    const text = await readFile(pathOf(file), 'utf8')
    const newline = text.indexOf('\n')
    const body = text.slice(newline + 1)
    if (text.slice(0, newline) !== headOf(file, body)) return null
    return indexSchema.parse(JSON.parse(body)) as ShardIndex
  } catch {
    return null
  }
}

/**
 * Keeps a file's index: written beside its place, then renamed. A file without ETag and date is not kept, since a
 * change would not be noticed. That nothing can be written is no error: the shard is indexed again next time.
 */
export async function saveShardIndex(file: RemoteFile, index: ShardIndex): Promise<void> {
  if (!file.etag && !file.lastModified) return
  const path = pathOf(file)
  const body = JSON.stringify(index)
  const temporary = `${path}.${process.pid}.tmp`
  try {
    await mkdir(shardCacheFolder(), { recursive: true })
    await writeFile(temporary, `${headOf(file, body)}\n${body}`)
    await rename(temporary, path)
  } catch {
    await rm(temporary, { force: true }).catch(() => {})
  }
}

/** Named by the address's hash: an address may hold a password. */
const pathOf = ({ url }: RemoteFile) => join(shardCacheFolder(), `${sha256(url)}.json`)

const headOf = ({ url, etag, lastModified, length }: RemoteFile, body: string) =>
  `trex shard index ${VERSION} ${sha256(JSON.stringify([url, etag, lastModified, length]))} ${sha256(body)}`
