import { join } from 'node:path'
import { hubOf, repoOf } from '../deploy/hub.js'
import { pull } from '../deploy/hubPull.js'
import { followBytes } from './followBytes.js'
import { print } from './print.js'
import { stopGently } from './stop.js'

/** The options of `trex pull` as commander gives them. */
export interface PullFlags {
  out: string
  file: string[]
  force?: boolean
  json?: boolean
}

/** Does what `trex pull` was asked. */
export async function runPull(
  repo: string,
  { out, file: patterns, force = false, json }: PullFlags,
): Promise<void> {
  const wanted = repoOf(repo, { revision: true })
  using stopping = stopGently()
  const options = { patterns, force, signal: stopping.signal }
  const pulled = await followBytes('pull', pull(wanted, out, hubOf(process.env), options))
  const lines = pulled.files.map(
    ({ path, found }) => `${join(out, path)}${found ? ' (was there already)' : ''}`,
  )
  await print(json ? JSON.stringify({ repo: wanted.name, ...pulled }, null, 2) : lines.join('\n'))
}
