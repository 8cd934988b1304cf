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

/** Waits until a CUDA device has finished its work. @throws Error `ERR_DEVICE` without CUDA. */
export const synchronize = (index?: number): void => native().synchronize(index)

/** Returns memory of disposed tensors to the system: the addon keeps it otherwise, as that makes training fast. */
export const trimMemory = (): void => native().trimMemory()
