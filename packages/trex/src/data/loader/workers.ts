import type { DecodeOptions } from '../decode/decode.js'
import { IMAGENET_NORMALIZATION, type Normalization } from '../pixels/normalize.js'
import type { BatchMemory, PixelType } from './batchMemory.js'
import { openWorkerPool, type WorkerPool } from './workerPool.js'

/** How images become crops, and by how many threads. */
export interface WorkerOptions {
  /** Threads that decode and transform; 0 (the default) does it in the calling thread. */
  workers?: number
  /** Default: IMAGENET_NORMALIZATION. */
  normalization?: Normalization
  /** `float32` (the default): crops are normalised; `uint8`: a quarter of the memory, for who normalises them later. */
  pixels?: PixelType
  decode?: Pick<DecodeOptions, 'autoOrient' | 'maxPixels'>
  /** Each worker keeps decoded training images up to this many bytes; default 0. */
  cacheBytes?: number
  /** Seconds without progress on one image after which a worker is stopped and replaced; default 60. */
  stallSeconds?: number
  /** On Linux, how far the threads give way to others: 0, the default, to 19; see `lowerThreadPool` of trex-torch. */
  nice?: number
  /** Node options of the workers, such as a module that each loads first; default none. */
  execArgv?: readonly string[]
}

/** Threads that several loaders share. */
export interface Workers {
  readonly pool: WorkerPool
  readonly pixels: PixelType
  readonly normalization: Normalization
  /** What the loaders' batches lie in; new memory every epoch would wait for all threads' garbage collectors. */
  readonly memory: BatchMemory
  /** Ends the threads once their jobs are done. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts the threads of loaders. Throws TrexError if they are not built, RangeError for a wrong number. */
export function openWorkers({
  workers = 0,
  normalization = IMAGENET_NORMALIZATION,
  pixels = 'float32',
  decode = {},
  cacheBytes = 0,
  stallSeconds = 60,
  execArgv = [],
  nice = 0,
}: WorkerOptions): Workers {
  if (!(Number.isInteger(nice) && nice >= 0 && nice <= 19)) throw new RangeError(`nice is ${nice}`)
  if (pixels !== 'float32' && pixels !== 'uint8') throw new RangeError(`pixels is ${pixels}`)
  if (!(stallSeconds > 0)) throw new RangeError(`stallSeconds is ${stallSeconds}`)
  const pool = openWorkerPool(
    workers,
    { normalization, decode, cacheBytes },
    { stallSeconds, execArgv, nice },
  )
  const close = () => pool.close()
  return { pool, pixels, normalization, memory: new Map(), close, [Symbol.asyncDispose]: close }
}
