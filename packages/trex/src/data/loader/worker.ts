import { parentPort, workerData } from 'node:worker_threads'
import { createFillRows } from './fillRows.js'
import { PROGRESS, type WorkerReply, type WorkerRequest, type WorkerStart } from './workerProtocol.js'

const port = parentPort!
const { settings, progress } = workerData as WorkerStart
const fillRows = createFillRows(settings)
let last: Promise<void> = Promise.resolve()

port.on('message', (request: WorkerRequest) => {
  last = last.then(async () => {
    if (request === 'stop') return port.close()
    const { id, job } = request
    const bad = await fillRows(job, (place) => {
      Atomics.store(progress, PROGRESS.job, id)
      Atomics.store(progress, PROGRESS.place, place)
      Atomics.add(progress, PROGRESS.moves, 1)
    })
    port.postMessage({ id, bad } satisfies WorkerReply)
  })
})
