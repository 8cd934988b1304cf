import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { createFillRows, type FillJob } from './fillRows.js'
import { PROGRESS, type WorkerReply, type WorkerRequest, type WorkerStart } from './workerProtocol.js'

const port = parentPort!
const { settings, progress, nice } = workerData as WorkerStart
// Elsewhere a thread has no niceness of its own: this would be that of the process.
if (nice > 0 && process.platform === 'linux') setPriority(nice)
const fillRows = createFillRows(settings)
const queue: { id: number; job: FillJob }[] = []
let busy = false
let stopping = false

port.on('message', (request: WorkerRequest) => {
  if (request === 'stop') stopping = true
  else queue.push(request)
  if (!busy) void work()
})

async function work(): Promise<void> {
  busy = true
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { id, job } = next
    const bad = await fillRows(job, {
      begin(place) {
        Atomics.store(progress, PROGRESS.job, id)
        Atomics.store(progress, PROGRESS.place, place)
        Atomics.add(progress, PROGRESS.moves, 1)
      },
      following: () => queue.flatMap(({ job }) => job.items),
    })
    port.postMessage({ id, bad } satisfies WorkerReply)
  }
  busy = false
  if (stopping) port.close()
}
