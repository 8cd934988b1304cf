import { randomBytes } from 'node:crypto'
import { constants, copyFileSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { TrexError } from '../errors.js'

const lockPath = (dir: string) => join(dir, 'lock')

/** The process that is at work on a run, as its lock names it. */
export interface Holder {
  readonly host: string
  readonly pid: string
}

/**
 * Makes this the only work on a run folder, in this process and others, until the result is disposed. A lock that a
 * killed process left is taken over.
 * @throws TrexError when the run is being worked on, or the folder cannot be written.
 */
export function lockRun(dir: string): Disposable {
  const path = lockPath(dir)
  const token = randomBytes(6).toString('hex') // tells apart the locks of one process
  const own = `${hostname()} ${process.pid} ${startOf(process.pid)} ${bootId()} ${token}\n`
  const complete = join(dir, `.lock.${token}.tmp`)
  try {
    writeFileSync(complete, own, { flag: 'wx' })
    while (!place(complete, path)) {
      const text = lockText(path)
      const holder = holderIn(text)
      if (holder) throw inUse(dir, holder)
      if (text !== null) removeStale(dir, text, complete)
    }
  } catch (cause) {
    if (cause instanceof TrexError) throw cause
    throw new TrexError(`${path} cannot be written: ${(cause as Error).message}`, {
      hint: 'make the run folder writable, or free some space',
      cause,
    })
  } finally {
    rmSync(complete, { force: true })
  }
  const release = () => {
    try {
      if (textOf(path) === own) rmSync(path, { force: true })
    } catch {} // what is left names a process that is gone: it is taken over
  }
  process.once('exit', release) // a signal ends the process without unwinding
  return {
    [Symbol.dispose]() {
      process.off('exit', release)
      release()
    },
  }
}

/** The process that is at work on a run, if there is one; one on another machine is taken to be. */
export const holderOf = (dir: string): Holder | null => holderIn(textOf(lockPath(dir)))

/** As `holderOf`, but null if it is this process. */
export function otherHolder(dir: string): Holder | null {
  const holder = holderOf(dir)
  return holder && holder.host === hostname() && Number(holder.pid) === process.pid ? null : holder
}

/** Gives a complete file a name that nothing has yet; false when something has it. */
function place(complete: string, path: string): boolean {
  try {
    linkSync(complete, path) // a reader sees the whole content or no file
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    if (!isCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error
  }
  try {
    copyFileSync(complete, path, constants.COPYFILE_EXCL) // this file system has no hard links
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  }
}

/**
 * Removes a lock that holds `text`, which is stale. Only who has a second lock may: else it could be that of a process
 * which has taken over in between.
 */
function removeStale(dir: string, text: string, complete: string): void {
  const takeover = join(dir, 'lock.takeover')
  if (!place(complete, takeover)) {
    const holder = holderIn(textOf(takeover))
    if (holder) throw inUse(dir, holder)
    rmSync(takeover, { force: true }) // it was killed in the one moment in which it had it
    return
  }
  try {
    if (textOf(lockPath(dir)) === text) rmSync(lockPath(dir), { force: true })
  } finally {
    rmSync(takeover, { force: true })
  }
}

/** The living process that a lock names; null for what is no lock. */
function holderIn(text: string | null): Holder | null {
  const [host, pid, start, boot] = (text ?? '').trim().split(' ')
  if (!host || !pid) return null
  if (host !== hostname()) return { host, pid }
  if (isKnown(boot) && isKnown(bootId()) && boot !== bootId()) return null // the machine has started anew
  const now = startOf(Number(pid))
  const another = isKnown(start) && isKnown(now) && now !== start // took its number over
  return isAlive(Number(pid)) && !another ? { host, pid } : null
}

function inUse(dir: string, { host, pid }: Holder): TrexError {
  const path = lockPath(dir)
  if (host === hostname())
    return new TrexError(`${dir} is in use by process ${pid} on ${host}`, {
      hint: `wait for it or stop it; if it is gone, remove ${path}`,
    })
  return new TrexError(`${dir} is in use by process ${pid} on ${host}, says ${path}`, {
    hint: `that is another machine, where it cannot be looked for: wait for it or stop it there; if it is gone, remove ${path}`,
  })
}

const isKnown = (text: string | undefined) => text !== undefined && text !== '-'

/** When a process of this machine was started, in its own ticks; `-` where the system does not tell. */
const startOf = (pid: number): string => statOf(pid)?.[19] ?? '-'

/** What the system tells of a process from its state on, field 3 of /proc/PID/stat; null where it does not. */
function statOf(pid: number): string[] | null {
  const stat = textOf(`/proc/${pid}/stat`)
  return stat === null ? null : stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name before may hold spaces
}

/** What is another each time the machine starts; `-` where the system does not tell. */
const bootId = (): string => textOf('/proc/sys/kernel/random/boot_id')?.trim() || '-'

function isAlive(pid: number): boolean {
  if (statOf(pid)?.[0] === 'Z') return false // killed, and nobody has asked for its exit code
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return isCode(error, 'EPERM')
  }
}

/** What a file holds; null when it is not there or cannot be read. */
function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

/** What a lock holds; null when it was released just now. */
function lockText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null
    throw error
  }
}

const isCode = (error: unknown, ...codes: string[]) =>
  codes.includes((error as NodeJS.ErrnoException).code ?? '')
