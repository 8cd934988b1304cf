import { stat } from 'node:fs/promises'
import { TrexError } from '../../errors.js'
import { IMAGE_EXTENSIONS, imagesBelow } from './imageFolder.js'
import type { Sample } from './sample.js'

/**
 * Images without classes: each path is a file, which is taken whatever its name, or a folder, whose images are taken as
 * those of class folders are, sorted by name. What cannot be read is found out when it is read.
 * @throws TrexError when there is not one.
 */
export async function listImageFiles(paths: readonly string[]): Promise<Sample[]> {
  const samples: Sample[] = []
  const ignored: Record<string, number> = {}
  for (const path of paths) {
    const stats = await stat(path).catch(() => null)
    if (!stats?.isDirectory()) samples.push({ path, label: 0 })
    else for (const sample of await imagesBelow(path, ignored)) samples.push(sample)
  }
  if (samples.length > 0) return samples
  const others = Object.entries(ignored).map(([kind, times]) => `${times} ${kind}`)
  const found = others.length ? `; there are ${others.join(', ')}` : ''
  throw new TrexError(`there are no images in ${paths.join(', ') || 'the list'}${found}`, {
    hint: `images are ${IMAGE_EXTENSIONS.join(' ')}`,
  })
}
