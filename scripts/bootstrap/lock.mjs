/** A lock file, so that two set-ups of one checkout do not work on the same files at once. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const beat = 5_000 // ms between signs of life
const silence = 60_000 // ms without one after which the owner counts as gone

/**
 * Does `work` while holding the lock at `path`; waits for another process that holds it, and takes over
 * from one that died. The file holds the owner's process id.
 * @param {string} path
 * @param {() => Promise<T>} work
 * @param {(line: string) => void} log told when there is someone to wait for
 * @returns {Promise<T>}
 * @template T
 */
export async function withLock(path, work, log) {
  mkdirSync(dirname(path), { recursive: true })
  for (let waited = false; !claim(path); waited = true) {
    const owner = ownerOf(path)
    if (owner === undefined) continue // released meanwhile
    if (!isAlive(owner)) {
      takeAway(path)
      continue
    }
    if (!waited) log(`waiting for the set-up of process ${owner.pid} (${path})`)
    await sleep(500)
  }
  const heart = setInterval(() => showAlive(path), beat)
  const release = () => rmSync(path, { force: true })
  const stop = (signal) => {
    release()
    process.exit(signal === 'SIGINT' ? 130 : 143)
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    return await work()
  } finally {
    clearInterval(heart)
    process.off('SIGINT', stop).off('SIGTERM', stop)
    release()
  }
}

function claim(path) {
  try {
    writeFileSync(path, `${process.pid}\n`, { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function showAlive(path) {
  try {
    utimesSync(path, new Date(), new Date())
  } catch (error) {
    if (error.code !== 'ENOENT') throw error // someone cleaned the checkout: nothing left to keep
  }
}

function ownerOf(path) {
  try {
    return { pid: Number(readFileSync(path, 'utf8')), seen: statSync(path).mtimeMs }
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

function isAlive({ pid, seen }) {
  if (Date.now() - seen > silence) return false
  if (pid === 0) return true // just created, not written yet
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Renames first: of two that wait, one gets the dead owner's file and the other finds none. */
function takeAway(path) {
  const aside = `${path}.${process.pid}`
  try {
    renameSync(path, aside)
    rmSync(aside, { force: true })
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
}
