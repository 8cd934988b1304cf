import { text } from 'node:stream/consumers'
import { listImageFiles } from '../data/sources/imageFiles.js'
import type { Sample } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'

/** The images that IMAGES of the command line are: files, folders, and for - what stdin lists. @throws TrexError */
export async function embedInputs(images: readonly string[]): Promise<Sample[]> {
  const paths: string[] = []
  for (const path of images)
    if (path === '-') for (const listed of await pathsOfStdin()) paths.push(listed)
    else paths.push(path)
  return listImageFiles(paths)
}

/** The paths on stdin, a line each, or each with a zero byte behind it, as `find -print0` writes. */
async function pathsOfStdin(): Promise<string[]> {
  if (process.stdin.isTTY)
    throw new TrexError('- reads paths from stdin, which is the terminal', {
      hint: 'pipe a list: find photos -name "*.jpg" | trex embed MODEL - --out FILE',
    })
  const list = await text(process.stdin)
  const paths = (list.includes('\0') ? list.split('\0') : list.split(/\r?\n/)).filter((path) => path !== '')
  if (paths.length === 0) throw new TrexError('there are no paths on stdin', { hint: 'give one a line' })
  return paths
}
