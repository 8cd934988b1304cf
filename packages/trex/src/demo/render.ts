import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import sharp from 'sharp'
import { TrexError } from '../errors.js'
import type { Icon } from './iconSets.js'

/** A drawing and the file it is to become. */
export interface RenderJob {
  icon: Icon
  file: string
}

/** The drawing as an SVG document of `size` x `size` pixels; a drawing that is not square is centred. */
export function iconSvg(icon: Icon, size: number): string {
  const { left, top, width, height, body } = icon
  const box = `${left} ${top} ${width} ${height}`
  // xlink: some sets' drawings still refer to their parts by xlink:href.
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
    `width="${size}" height="${size}" viewBox="${box}">${body}</svg>`
  )
}

/**
 * Renders drawings on white to RGB PNG files of `size` x `size` pixels, several at a time.
 * @param onProgress is told how many are done
 * @throws TrexError naming the file whose drawing could not be rendered
 */
export async function renderAll(
  jobs: readonly RenderJob[],
  size: number,
  onProgress?: (done: number, total: number) => void,
): Promise<void> {
  for (const folder of new Set(jobs.map(({ file }) => dirname(file))))
    await mkdir(folder, { recursive: true })
  let done = 0
  await inParallel(jobs, async ({ icon, file }) => {
    try {
      await sharp(Buffer.from(iconSvg(icon, size)))
        .flatten({ background: '#ffffff' })
        .png({ compressionLevel: 6 })
        .toFile(file)
    } catch (cause) {
      throw new TrexError(`Could not render the picture ${file}`, {
        hint: 'Check the free space of the disk; if there is room, reinstall sharp.',
        cause,
      })
    }
    onProgress?.(++done, jobs.length)
  })
}

/** Runs `work` on every item, a few at a time; the first failure ends it. */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  const worker = async () => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: 2 * availableParallelism() }, worker))
}
