/** Workers that compute at once, end in each possible way, or outlive the main thread. Prints JSON. */
import { Worker } from 'node:worker_threads'

const jobs = new URL('./jobs.mjs', import.meta.url)
const scenario = process.argv[2]

/** Runs a worker to its end: messages, error, exit code. */
function run(workerData) {
  const worker = new Worker(jobs, { workerData })
  const result = { messages: [], error: null, code: null }
  worker.on('message', (message) => result.messages.push(message))
  worker.on('error', (error) => (result.error = error.message))
  return new Promise((done) => worker.on('exit', (code) => done({ ...result, code })))
}

const scenarios = {
  /** Two workers and the main thread, the same sums. */
  async parallel() {
    const { checksum } = await import('./jobs.mjs')
    const seeds = Array.from({ length: 40 }, (_, i) => i)
    const working = [run({ job: 'checksums', seeds }), run({ job: 'checksums', seeds: [...seeds].reverse() })]
    const own = seeds.map((seed) => checksum(seed))
    const [a, b] = await Promise.all(working)
    const same = (list) => JSON.stringify(list) === JSON.stringify(own)
    return { sums: own.length, a: same(a.messages[0]), b: same([...b.messages[0]].reverse()) }
  },
  /** The addon is loaded by workers only, so that it may be unloaded with them. */
  async workersOnly() {
    const results = []
    for (const job of ['leaveTensors', 'exit', 'fail', 'leaveTensors', 'checksums'])
      results.push(await run({ job, seeds: [1] }))
    const last = results.pop()
    return [...results, { sum: typeof last.messages[0][0], code: last.code }]
  },
  /** Threads of operators in a worker that starts when the main thread has chosen one, and then in the main thread. */
  async threads() {
    const { getNumThreads, setNumThreads } = await import('../../dist/index.js')
    setNumThreads(1)
    return [...(await run({ job: 'threads' })).messages, getNumThreads()]
  },
  /** The process ends while a worker computes. */
  async exitAround() {
    const worker = new Worker(jobs, { workerData: { job: 'backward' } })
    await new Promise((done) => worker.once('message', done))
    return 'left'
  },
}

console.log(JSON.stringify(await scenarios[scenario]()))
if (scenario === 'exitAround') process.exit(0)
