// Reads files, one after the other, with the compiled program, and tells what each took; hostileModels.test.ts starts it.
// Messages: { id, path, kind, out } in; { id, step } when it begins with a step, { id, results } when it is done, out.

import { readFileSync, writeFileSync } from 'node:fs'

const dist = new URL('../../dist/', import.meta.url)
const { runImport } = await import(new URL('cli/runImport.js', dist))
const { resolveSettings } = await import(new URL('config.js', dist))
const { TrexError } = await import(new URL('errors.js', dist))

/** A number of /proc/self/status in KiB: VmRSS, or VmHWM, its highest since `resetPeak`. */
const memory = (name) =>
  Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))[1])
const resetPeak = () => writeFileSync('/proc/self/clear_refs', '5')

const steps = {
  inspect: ({ path }) => runImport(path, { inspect: true, out: '' }),
  import: ({ path, out }) => runImport(path, { out, imageSize: 224 }),
  resolve: ({ path }) => resolveSettings({ configFile: path }),
}

async function attempt(step, job) {
  globalThis.gc()
  resetPeak()
  const before = memory('VmRSS')
  const cpu = process.cpuUsage()
  let said = null
  try {
    await steps[step](job)
  } catch (error) {
    const { name, message, hint } = error
    said = {
      name,
      message: String(message).slice(0, 2000),
      length: String(message).length,
      hint,
      ours: error instanceof TrexError,
    }
  }
  const { user, system } = process.cpuUsage(cpu)
  return { step, said, seconds: (user + system) / 1e6, kib: memory('VmHWM') - before }
}

process.on('message', async (job) => {
  const results = []
  for (const step of job.kind === 'config' ? ['resolve'] : ['inspect', 'import']) {
    process.send({ id: job.id, step })
    results.push(await attempt(step, job))
  }
  const polluted = Object.keys({}).length > 0 || 'polluted' in {} || 'version' in {}
  process.send({ id: job.id, results, polluted })
})
process.send({ ready: true })
