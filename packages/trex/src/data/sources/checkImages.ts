import { open } from 'node:fs/promises'
import { cannotRead, DecodeError, notAnImage } from '../decode/decode.js'
import { sniffContent } from '../decode/sniff.js'
import type { Sample } from './sample.js'

const AT_ONCE = 32
const START_BYTES = 2048

/**
 * Reads the first bytes of every image, so that what is no image at all (text, a web page, an empty file) is found
 * before any work is done. A file that is damaged further on shows when it is decoded.
 * @throws DecodeError naming the first such file, and how many there are.
 */
export async function checkImages(samples: readonly Sample[]): Promise<void> {
  const bad: { place: number; error: DecodeError }[] = []
  let next = 0
  const reader = async () => {
    while (next < samples.length) {
      const place = next++
      const error = await problemOf(samples[place]!.path)
      if (error) bad.push({ place, error })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, reader))
  if (bad.length === 0) return
  const { error } = bad.reduce((first, other) => (other.place < first.place ? other : first))
  const others =
    bad.length > 1 ? ` (and ${bad.length - 1} more of ${samples.length} images cannot be read)` : ''
  throw new DecodeError(error.path, error.message + others, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  })
}

async function problemOf(path: string): Promise<DecodeError | null> {
  try {
    const file = await open(path)
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(START_BYTES), 0, START_BYTES, 0)
      const content = sniffContent(buffer.subarray(0, bytesRead))
      return content.format === null ? notAnImage(path, content) : null
    } finally {
      await file.close()
    }
  } catch (cause) {
    return cannotRead(path, cause as Error)
  }
}
