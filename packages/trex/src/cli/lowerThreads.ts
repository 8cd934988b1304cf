import { readdirSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { setPriority } from 'node:os'

/** The lowest priority. */
const MOST_YIELDING = 19

/**
 * Has the threads that this process has besides the main one, those of libuv's pool in which images are decoded among
 * them, give way to those that are started later, as ONNX Runtime's (docs/decisions/0011-data-threads-give-way.md). On
 * Linux alone, where a thread has a niceness of its own.
 */
export async function lowerThreads(): Promise<void> {
  if (process.platform !== 'linux') return
  await stat('/') // starts the pool
  for (const thread of readdirSync('/proc/self/task').map(Number))
    if (thread !== process.pid)
      try {
        setPriority(thread, MOST_YIELDING)
      } catch {} // it has ended
}
