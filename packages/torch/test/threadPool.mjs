/** Prints how many threads run with niceness 7 after the thread pool was given it, and the niceness of this one. */
import { pbkdf2 } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { lowerThreadPool } from '../dist/index.js'

const niceOf = (thread) =>
  Number(readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ')[1].split(' ')[16])
lowerThreadPool(3)
lowerThreadPool(7)
lowerThreadPool(5) // no thread is raised again
// Work that is queued after it.
await Promise.all(Array.from({ length: 8 }, () => promisify(pbkdf2)('a', 'b', 1000, 8, 'sha1')))
const all = readdirSync('/proc/self/task').map(niceOf)
console.log(all.filter((nice) => nice === 7).length)
console.log(niceOf(process.pid))
