/**
 * Kills training with SIGKILL wherever it may hurt, resumes it, and compares it with a run that was never interrupted:
 * every tensor of every checkpoint (weights, batch-norm statistics, momentum encoder, bank, optimizer, generator), the
 * rest of its state and the rows of metrics.jsonl must be equal, but for times. `--only NAME` runs the kills whose name
 * holds NAME; `--quick` one at random and one inside a save; `--seed N`, `--jobs N` (2) at a time.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { contentsOf, makeImages, rowsOf, startOf, stepsOf, trexRun } from './killSweep/runs.mjs'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2' },
  },
})
const dir = mkdtempSync(join(tmpdir(), 'trex-kill-'))
const data = join(dir, 'images')

/** Kills inside a save; `save` counts the checkpoint files written, of which an epoch of 6 steps has 2 or 3. */
const inSaves = [
  ['after opening the temporary file', { save: 5, op: 'open', when: 'after' }],
  ['in the middle of a write', { save: 6, op: 'write', nth: 60, when: 'half' }],
  ['before fsync', { save: 4, op: 'fsync', when: 'before' }],
  ['after fsync', { save: 7, op: 'fsync', when: 'after' }],
  ['before rename', { save: 3, op: 'rename', when: 'before' }],
  ['after rename', { save: 3, op: 'rename', when: 'after' }],
  ['before the fsync of the folder', { save: 8, op: 'fsync', nth: 2, when: 'before' }],
  ['while pruning', { op: 'rm', when: 'before' }],
].map(([name, fault]) => ({ name: `in a save, ${name}`, fault: { ...fault, action: 'kill' } }))

/** Numbers in [0, 1) that are the same for a seed, and spread out: steps of the golden ratio. */
const spread = (i) => (Number(values.seed) * 0.37 + (i + 1) * 0.6180339887498949) % 1

/** Runs, kills, resumes; says where the run was killed. */
async function killed({ name, fault, afterRows, validating, resumeFault }, run, args) {
  const first = await trexRun([data, ...args, '--out', run], { run, fault, afterRows })
  if (!first.killed) throw new Error(`${name}: the run was not killed`)
  if (validating && rowsOf(run).length !== afterRows) throw new Error(`${name}: it was over before the kill`)
  const from = startOf(run)
  const begin = from === null ? 'from the beginning' : `from ${from}`
  if (resumeFault) {
    const second = await trexRun(['--resume', run], { run, fault: resumeFault })
    if (!second.killed) throw new Error(`${name}: the resumed run was not killed`)
  }
  await trexRun(['--resume', run], { run })
  return `after ${first.rows} rows, resumed ${begin}`
}

async function main() {
  await makeImages(data)
  const args = stepsOf()
  const whole = join(dir, 'whole')
  await trexRun([data, ...args, '--out', whole], { run: whole })
  const expected = contentsOf(whole)
  const atRandom = Array.from({ length: 8 }, (_, i) => 1 + Math.floor(spread(i) * (expected.rows.length - 2)))
  /** Rows up to the last step of an epoch, after which it is validated. */
  const lastStepOf = (epoch) =>
    1 + expected.rows.findLastIndex((row) => row.kind === 'step' && row.epoch === epoch)
  const all = [
    ...atRandom.map((afterRows, i) => ({ name: `at random ${i + 1}`, afterRows })),
    ...inSaves,
    { name: 'in validation 1', afterRows: lastStepOf(0), validating: true },
    { name: 'in validation 2', afterRows: lastStepOf(2), validating: true },
    ...[
      ['while the checkpoint is read', { op: 'read', nth: 20, when: 'before', action: 'kill' }],
      ['before its first row', { op: 'append', when: 'before', action: 'kill' }],
    ].map(([what, resumeFault], i) => ({
      name: `in a resume, ${what}`,
      afterRows: lastStepOf(0) + 4 + i,
      resumeFault,
    })),
  ]
  const kills = values.quick ? [all[0], all[11]] : all.filter(({ name }) => name.includes(values.only))
  let bad = 0
  const waiting = [...kills.entries()]
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [i, kill] = next
      const run = join(dir, `run${i}`)
      const where = await killed(kill, run, args)
      const differing = differences(expected, contentsOf(run))
      if (differing.length) bad++
      const verdict = differing.length
        ? `DIFFERS in ${differing.slice(0, 5).join(', ')}`
        : `${expected.tensors} tensors and ${expected.rows.length} rows equal`
      console.log(`${kill.name} (${where}): ${verdict}`)
      rmSync(run, { recursive: true })
    }
  }
  await Promise.all(Array.from({ length: Number(values.jobs) }, work))
  console.log(`${kills.length - bad} of ${kills.length} killed runs equal the uninterrupted one`)
  process.exitCode = bad === 0 ? 0 : 1
}

/** Names of what two runs do not have in common. */
function differences(a, b) {
  const names = new Set([...a.parts.keys(), ...b.parts.keys()])
  return [...names].filter((name) => a.parts.get(name) !== b.parts.get(name))
}

try {
  await main()
} finally {
  rmSync(dir, { recursive: true, force: true })
}
