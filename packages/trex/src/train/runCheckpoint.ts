import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { TrexError } from '../errors.js'

/**
 * The file of a run's checkpoint that is given by name or path: by default the best, or the last if no best is kept.
 * @throws TrexError when the run has none of that name.
 */
export function runCheckpoint(dir: string, asked: string | undefined): string {
  const folder = join(dir, 'checkpoints')
  const named = (name: string) => join(folder, `${name}.safetensors`)
  if (asked === undefined) return [named('best'), named('last')].find(existsSync) ?? missing(dir, 'last')
  return (
    [named(asked), asked, join(folder, asked)].find((path) => existsSync(path) && statSync(path).isFile()) ??
    missing(dir, asked)
  )
}

function missing(dir: string, asked: string): never {
  const folder = join(dir, 'checkpoints')
  const there = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.safetensors')) : []
  const names = there.map((name) => name.replace('.safetensors', '')).join(', ')
  throw new TrexError(`${dir} has no checkpoint ${asked}`, {
    hint: names ? `it has ${names}` : `it has none yet: \`trex train --resume ${dir}\` goes on with it`,
  })
}
