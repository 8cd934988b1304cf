import type { BadRow, FillJob, FillSettings } from './fillRows.js'

/** What a worker starts with. */
export interface WorkerStart {
  settings: FillSettings
  /** See `WorkerOptions`. */
  nice: number
  /** Shared numbers that tell where the worker is: see PROGRESS. */
  progress: Int32Array
}

/** To a worker: a job, or the wish that it ends once the jobs before are done. */
export type WorkerRequest = { id: number; job: FillJob } | 'stop'

/** From a worker: a job is done. An error that is no bad image ends the worker instead. */
export interface WorkerReply {
  id: number
  bad: BadRow[]
}

/** Places in `progress`: how often the worker moved on; the job and the place in its items that are at hand. */
export const PROGRESS = { moves: 0, job: 1, place: 2 } as const

/** New shared memory for a worker's progress. */
export const newProgress = () => new Int32Array(new SharedArrayBuffer(12))
