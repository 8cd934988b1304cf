import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** The folder of an image set that models are scored on. @param {string} root */
export const scoredPart = (root) => (existsSync(join(root, 'test')) ? 'test' : 'val')

/**
 * A folder with train/ and val/ of links to an image set's class folders.
 * @param {string} into made anew
 * @param {string} root
 * @param {{ classes: readonly string[], val: string }} options val: the part that is to be `val`
 */
export function linkParts(into, root, { classes, val }) {
  rmSync(into, { recursive: true, force: true })
  for (const [part, from] of [
    ['train', 'train'],
    ['val', val],
  ]) {
    mkdirSync(join(into, part), { recursive: true })
    for (const name of classes) symlinkSync(resolve(root, from, name), join(into, part, name))
  }
  return into
}
