import { hubOf, repoOf } from '../deploy/hub.js'
import { push } from '../deploy/hubPush.js'
import { followBytes } from './followBytes.js'
import { print } from './print.js'
import { stopGently } from './stop.js'

/** Does what `trex push` was asked. */
export async function runPush(
  dir: string,
  repo: string,
  flags: { private?: boolean; json?: boolean },
): Promise<void> {
  const { name } = repoOf(repo, { revision: false })
  using stopping = stopGently()
  const hub = hubOf(process.env)
  const options = { isPrivate: flags.private === true, signal: stopping.signal }
  const pushed = await followBytes('push', push(dir, name, hub, options))
  const { files, url } = pushed
  await print(
    flags.json ? JSON.stringify({ repo: name, ...pushed }, null, 2) : `${files.length} files: ${url}`,
  )
}
