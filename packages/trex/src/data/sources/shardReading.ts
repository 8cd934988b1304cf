import { readBytes } from './httpBytes.js'
import { probeFile, type RemoteFile } from './httpFile.js'
import type { HttpPolicy } from './httpRetry.js'
import { showUrl } from './httpUrl.js'
import { loadShardIndex, saveShardIndex } from './shardCache.js'
import { createShardIndexer, type ShardIndex } from './shardIndex.js'
import { readTarFile, sameBytes } from './tarFile.js'
import { openTarStream } from './tarStream.js'

/** Shards read at the same time. */
const AT_ONCE = 4

/** The index of an archive in a file. Throws TrexError. */
export async function indexFile(path: string, signal?: AbortSignal): Promise<ShardIndex> {
  const indexer = createShardIndexer(path)
  await readTarFile(path, indexer.add, { wants: indexer.wants, signal })
  return indexer.finish((a, b) => sameBytes(path, a.offset, b.offset, a.size))
}

/** The index of an archive on a server: the one kept from before, else by reading it once. Throws TrexError. */
export async function indexUrl(
  url: string,
  policy: HttpPolicy,
  signal?: AbortSignal,
): Promise<{ file: RemoteFile; index: ShardIndex }> {
  const file = await probeFile(url, policy, signal)
  const kept = await loadShardIndex(file)
  if (kept) return { file, index: kept }
  const indexer = createShardIndexer(showUrl(url))
  const archive = { archive: showUrl(url), length: file.length, wants: indexer.wants }
  const tar = openTarStream(archive, indexer.add)
  for await (const chunk of readBytes(file, { policy, signal })) tar.write(chunk)
  tar.end()
  const index = await indexer.finish((a, b) => tar.digest(a.offset) === tar.digest(b.offset))
  await saveShardIndex(file, index)
  return { file, index }
}

/** `work` for each item, a few at a time; once one fails the signal given to the others ends them. */
export async function someAtOnce<T, R>(
  items: readonly T[],
  work: (item: T, signal: AbortSignal) => Promise<R>,
  signal?: AbortSignal,
): Promise<R[]> {
  const failed = new AbortController()
  const both = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal
  const results = new Array<R>(items.length)
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      both.throwIfAborted()
      const place = next++
      results[place] = await work(items[place]!, both)
    }
  }
  const workers = Array.from({ length: AT_ONCE }, () =>
    worker().catch((error) => {
      failed.abort(error)
      throw error
    }),
  )
  await Promise.allSettled(workers)
  if (both.aborted) throw both.reason
  return results
}
