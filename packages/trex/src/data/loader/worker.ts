import { parentPort, workerData } from 'node:worker_threads'
import { createFillRows, type FillFailure, type FillJob, type FillSettings } from './fillRows.js'

/** To a worker: a job, or the wish that it ends once the jobs before are done. */
export type WorkerRequest = { id: number; job: FillJob } | 'stop'

/** From a worker: a job is done, or failed. */
export interface WorkerReply {
  id: number
  failure: FillFailure | null
}

const port = parentPort!
const fillRows = createFillRows(workerData as FillSettings)
let last: Promise<void> = Promise.resolve()

port.on('message', (request: WorkerRequest) => {
  last = last.then(async () => {
    if (request === 'stop') return port.close()
    port.postMessage({ id: request.id, failure: await fillRows(request.job) } satisfies WorkerReply)
  })
})
