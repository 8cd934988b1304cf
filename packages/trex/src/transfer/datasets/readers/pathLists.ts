import type { Sample } from '../../../data/sources/sample.js'
import type { TransferData } from '../transferSet.js'
import { below } from './below.js'
import { labelOf, labelsOf, readLines } from './textLines.js'

/** Lists of images whose lines are `<class>/<image>`. */
export interface PathLists {
  /** The folder that the lines are paths in. */
  readonly images: string
  /** Files. */
  readonly trainval: readonly string[]
  readonly test: readonly string[]
  /** What the lines leave out at their end. */
  readonly suffix?: string
  /** The classes where a file names them; else those of the lines, sorted by code unit. */
  readonly classes?: readonly string[]
}

/** Reads lists of images; all of a line up to its last `/` is the class. @throws TrexError naming file and line. */
export async function readPathLists({
  images,
  trainval,
  test,
  suffix = '',
  classes,
}: PathLists): Promise<TransferData> {
  const [first, second] = await Promise.all([trainval, test].map((files) => listed(files, images, suffix)))
  const names = classes ?? [...new Set([...first!, ...second!].map(({ name }) => name))].sort()
  const labels = labelsOf(names)
  const sample = ({ path, name, where }: Listed): Sample => ({ path, label: labelOf(labels, name, where) })
  return { classes: names, trainval: first!.map(sample), test: second!.map(sample) }
}

interface Listed {
  readonly path: string
  readonly name: string
  readonly where: string
}

async function listed(files: readonly string[], images: string, suffix: string): Promise<Listed[]> {
  const lists = await Promise.all(files.map(readLines))
  return lists.flatMap((lines, i) =>
    lines.map((line, row) => {
      const where = `${files[i]}:${row + 1}`
      const inner = line.replace(/^\//, '') // of SUN397
      const name = inner.slice(0, Math.max(0, inner.lastIndexOf('/')))
      return { path: below(images, inner + suffix, where), name, where }
    }),
  )
}
