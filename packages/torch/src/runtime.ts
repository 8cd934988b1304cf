import { type EngineInfo, type EngineRecord, engineRecord, native } from './native.js'

/** Version, devices and processor features of the loaded libtorch, and where it came from. */
export function engineInfo(): EngineInfo & { record: EngineRecord | null; threads: number } {
  return { ...native().engineInfo(), record: engineRecord(), threads: native().threads() }
}

export { engineRecord }

/** The number of threads that operators called in this thread use. */
export const getNumThreads = (): number => native().threads()

/**
 * Sets the number of threads that operators use: those called in this thread, and in workers that call their first
 * operator later. The main thread and workers that have computed already keep their number.
 * @throws TypeError `ERR_ARGUMENT` outside 1..4 x cores (at least 64).
 */
export function setNumThreads(count: number): void {
  native().threads(count)
}

/** Whether this libtorch sees a CUDA device. */
export const isCudaAvailable = (): boolean => native().engineInfo().cuda

/** The best device there is: `cuda` where libtorch has it, else `cpu`. */
export const bestDevice = (): 'cuda' | 'cpu' => (isCudaAvailable() ? 'cuda' : 'cpu')

/**
 * Whether CUDA may round the factors of fp32 matrix products and convolutions to TF32, 10 bits of mantissa, which Ampere
 * and newer GPUs multiply several times as fast. Read back by `engineInfo().tf32`; no effect on CPUs.
 */
export const setTf32 = (on: boolean): void => native().setTf32(on)

/** Whether cuDNN tries its algorithms at the first call of each shape and keeps the fastest; no effect on CPUs. */
export const setCudnnBenchmark = (on: boolean): void => native().setCudnnBenchmark(on)

/**
 * Whether only kernels are used that give the same bits every time, as `torch.use_deterministic_algorithms`: operators
 * that have none throw `ERR_TORCH`. Call it before the first matrix product on CUDA: it sets `CUBLAS_WORKSPACE_CONFIG`,
 * unless the environment has it.
 */
export const setDeterministic = (on: boolean): void => native().setDeterministic(on)

/** Waits until a CUDA device has finished its work. @throws Error `ERR_DEVICE` without CUDA. */
export const synchronize = (index?: number): void => native().synchronize(index)

/** Returns memory of disposed tensors to the system: the addon keeps it otherwise, as that makes training fast. */
export const trimMemory = (): void => native().trimMemory()

/**
 * Lets Node's thread pool, which decodes images and reads files, give way to the threads that compute, for good: on Linux
 * it runs with that niceness (0 to 19, the most yielding) from soon on; elsewhere nothing happens. A kernel of libtorch
 * whose threads wait for one another computes many times slower when one of them has to wait for a core
 * (docs/decisions/0011-data-threads-give-way.md). A thread of the pool that is busy at the moment keeps its own.
 * @throws TypeError `ERR_ARGUMENT` outside 0..19.
 */
export const lowerThreadPool = (nice: number): void => native().lowerThreadPool(nice)
