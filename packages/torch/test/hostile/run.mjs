/**
 * Runs every hostile call. Each must throw an Error or return; an abort of the process is what the caller of
 * this script looks for, so each name is written out before its call. The last line is a JSON summary.
 */
import { writeSync } from 'node:fs'
import { addon, note, op, read, release, tensor } from './addon.mjs'
import { exportCases } from './exports.mjs'
import { operatorCases } from './operators.mjs'
import { schemeCases } from './schemes.mjs'

const groups = { exports: exportCases, operators: operatorCases, schemes: schemeCases }
const chosen = process.argv[2] ? [process.argv[2]] : Object.keys(groups)
const counts = { calls: 0, errors: 0, values: 0 }
const names = new Set()
const wrong = []

const intact = addon.fromBytes(Float32Array.of(1, 2, 3), 6, [3])
const threads = addon.threads()

function allowed(name, error) {
  if (error instanceof Error) return true
  return error === 5 && name.includes('throws a number') // what the getter threw
}

for (const group of chosen)
  for (const { name, run } of groups[group]()) {
    if (process.argv.includes('--names')) writeSync(1, `${name}\n`)
    names.add(name)
    counts.calls++
    try {
      note(run())
      counts.values++
    } catch (error) {
      counts.errors++
      if (!allowed(name, error)) wrong.push(`${name}: ${String(error)}`)
    }
    release()
    addon.setAutocast('cpu', false, 15)
    addon.gradMode(true)
    addon.setDeterministic(false)
    if (counts.calls % 500 === 0) globalThis.gc?.()
  }

addon.threads(threads)
const sum = read(op('aten::add.Tensor')(intact, tensor([10, 20, 30]), 1))
if (`${sum}` !== '11,22,33') wrong.push(`afterwards 1 + 10 is ${sum}`)
writeSync(1, `${JSON.stringify({ ...counts, distinct: names.size, wrong })}\n`)
