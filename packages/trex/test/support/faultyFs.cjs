/**
 * Makes one file operation of a run's checkpoints fail, or kills the process at it. Preloaded with --require it does what
 * TREX_FAULT says, as JSON; a test calls `arm` itself. A fault is `{ op, nth, save, when, action }`: the nth operation of
 * this kind (from 1; of all kinds without `op`), counted within the given save (from 1), or from the start; `when` is
 * before, half (of a write) or after; `action` is kill or the code of a system error.
 */
const fs = require('node:fs')
const { syncBuiltinESMExports } = require('node:module')
const { constants } = require('node:os')

const original = { ...fs }
const files = new Map() // descriptors of files in checkpoints/
let fault = null
let saves = 0
let counts = {}
let seen = []

const isTracked = (path) => /[\\/](checkpoints([\\/][^\\/]*)?|metrics\.jsonl)$/.test(String(path))

function wrap(name, op, pathOf) {
  fs[name] = (...args) => {
    const path = pathOf(...args)
    if (path === undefined || !isTracked(path)) return original[name](...args)
    if (op === 'open' && args[1] === 'wx') begin()
    const half = () => original[name](args[0], args[1], args[2], args[3] >> 1)
    const result = act(op, () => original[name](...args), half)
    if (op === 'open') files.set(result, path)
    return result
  }
}

/** A save begins with the making of its temporary file. */
function begin() {
  saves++
  counts = {}
}

function act(op, whole, half) {
  seen.push(op)
  counts[op] = (counts[op] ?? 0) + 1
  if (!fault || !matches(op)) return whole()
  const { when = 'before', action } = fault
  fault = null
  if (when === 'after') whole()
  if (when === 'half') half()
  if (action === 'kill') {
    process.kill(process.pid, 'SIGKILL')
    for (;;);
  }
  throw Object.assign(new Error(`${action}: made to fail, ${op}`), {
    code: action,
    errno: -constants.errno[action],
    syscall: op,
  })
}

function matches(op) {
  if (fault.op === undefined) return seen.length === fault.nth
  return fault.op === op && counts[op] === (fault.nth ?? 1) && (fault.save ?? saves) === saves
}

wrap('openSync', 'open', (path) => path)
wrap('writeSync', 'write', (file) => files.get(file))
wrap('readSync', 'read', (file) => files.get(file))
wrap('fsyncSync', 'fsync', (file) => files.get(file))
wrap('renameSync', 'rename', (path) => path)
wrap('linkSync', 'link', (path) => path)
wrap('rmSync', 'rm', (path) => path)
wrap('appendFileSync', 'append', (path) => path)
fs.closeSync = (file) => {
  files.delete(file)
  return original.closeSync(file)
}
syncBuiltinESMExports()

/** Counts anew, towards a fault or none. */
function arm(next = null) {
  fault = next
  saves = 0
  counts = {}
  seen = []
}

/** The operations since the last `arm`. */
const operations = () => [...seen]

if (process.env.TREX_FAULT) arm(JSON.parse(process.env.TREX_FAULT))
module.exports = { arm, operations }
