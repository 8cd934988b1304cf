/** Ends workers in the middle of a job again and again while the main thread computes; prints what was done. */
import { Worker } from 'node:worker_threads'
import { liveTensors } from '../../dist/index.js'
import { checksum } from './jobs.mjs'

const [job, count] = [process.argv[2], Number(process.argv[3])]
const jobs = new URL('./jobs.mjs', import.meta.url)
const pause = (ms) => new Promise((done) => setTimeout(done, ms))
const expected = checksum(1)
const before = liveTensors()
let [wrong, checks] = [0, 0]

async function endOne(i) {
  const worker = new Worker(jobs, { workerData: { job } })
  const failed = new Promise((_, reject) => worker.once('error', reject))
  // Every fifth is ended while it starts, the others after 0..20 ms of their job.
  if (i % 5 === 4) await pause((i * 13) % 60)
  else
    await Promise.race([new Promise((done) => worker.once('message', done)), failed]).then(() =>
      pause((i * 7919) % 21),
    )
  await worker.terminate()
}

for (let i = 0; i < count; i += 2) {
  const ending = Promise.all([endOne(i), endOne(i + 1)])
  let over = false
  ending.finally(() => (over = true))
  while (!over) {
    checks++
    if (checksum(1) !== expected) wrong++
    await pause(5)
  }
  await ending
}
console.log(JSON.stringify({ ended: count, checks, wrong, leaked: liveTensors() - before }))
