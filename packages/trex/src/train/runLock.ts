import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { TrexError } from '../errors.js'

const lockPath = (dir: string) => join(dir, 'lock')
const ownName = () => `${hostname()} ${process.pid} ${startOf(process.pid)}\n`

/** When a process of this machine was started, in its own ticks; `-` where the system does not tell. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '-' // field 22; the name before may hold spaces
  } catch {
    return '-'
  }
}

/**
 * Makes this process the only one that writes a run folder, until the result is disposed. A lock that a killed process
 * left is taken over.
 * @throws TrexError when another process is at work on the run, or the folder cannot be written.
 */
export function lockRun(dir: string): Disposable {
  const path = lockPath(dir)
  for (;;) {
    try {
      writeFileSync(path, ownName(), { flag: 'wx' })
      const release = () => rmSync(path, { force: true })
      process.once('exit', release) // a signal ends the process without unwinding
      return {
        [Symbol.dispose]() {
          process.off('exit', release)
          release()
        },
      }
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST')
        throw new TrexError(`${path} cannot be written: ${(cause as Error).message}`, {
          hint: 'make the run folder writable, or free some space',
          cause,
        })
    }
    const holder = otherHolder(dir)
    if (holder)
      throw new TrexError(`${dir} is in use by process ${holder.pid} on ${holder.host}`, {
        hint: `wait for it or stop it; if it is gone, remove ${path}`,
      })
    rmSync(path, { force: true })
  }
}

/** The other process that is at work on a run, if there is one; one on another machine is taken to be. */
export function otherHolder(dir: string): { host: string; pid: string } | null {
  let text: string
  try {
    text = readFileSync(lockPath(dir), 'utf8')
  } catch {
    return null // there is none, or it was released just now
  }
  const [host, pid, start] = text.trim().split(' ')
  if (!host || !pid || text === ownName()) return null
  if (host !== hostname()) return { host, pid }
  const another = start !== undefined && start !== '-' && startOf(Number(pid)) !== start // took its number over
  return isAlive(Number(pid)) && !another ? { host, pid } : null
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
