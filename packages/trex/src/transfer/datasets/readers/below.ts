import { isAbsolute, sep } from 'node:path'
import { quoted } from '../../../checkpoints/quoted.js'
import { TrexError } from '../../../errors.js'

/**
 * A path that a file of a set names, below `folder`.
 * @throws TrexError, saying `where` it stands, when it is empty, absolute, or leads out of the folder.
 */
export function below(folder: string, path: string, where: string): string {
  const leaves =
    path === '' || path.includes('\0') || isAbsolute(path) || /^[a-z]:|(^|[/\\])\.\.([/\\]|$)/i.test(path)
  if (leaves) throw new TrexError(`${where}: ${quoted(path)} is no path inside ${folder}`)
  return folder + sep + path // what join makes takes several times the memory, which millions of paths feel
}
