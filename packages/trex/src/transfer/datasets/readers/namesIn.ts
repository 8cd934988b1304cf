import { readdir } from 'node:fs/promises'
import { cannotRead } from '../../../data/decode/regularFile.js'

/** The names of what is in a folder, sorted by code unit. @throws DecodeError when it cannot be read. */
export async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error) => {
    throw cannotRead(folder, error)
  })
  return names.sort()
}
