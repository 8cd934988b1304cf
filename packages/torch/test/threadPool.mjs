/** Prints how many threads are 3 nicer than this process after the pool was made so, and by how much this one is. */
import { pbkdf2 } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { promisify } from 'node:util'
import { lowerThreadPool } from '../dist/index.js'

const niceOf = (thread) =>
  Number(readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ')[1].split(' ')[16])
const own = getPriority()
for (const more of [1, 3, 2]) lowerThreadPool(own + more) // no thread is raised again
// Work that is queued after it.
await Promise.all(Array.from({ length: 8 }, () => promisify(pbkdf2)('a', 'b', 1000, 8, 'sha1')))
const all = readdirSync('/proc/self/task').map(niceOf)
console.log(all.filter((nice) => nice === own + 3).length)
console.log(niceOf(process.pid) - own)
