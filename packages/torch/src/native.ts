import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EngineError } from './engineError.js'

/** What the build of the addon recorded about the libtorch it was built against. */
export interface EngineRecord {
  version: string
  source: string
  root: string
  libDir: string
  cuda: boolean
  addon: string
}

/** What libtorch and the processor say at run time. */
export interface EngineInfo {
  version: string
  cuda: boolean
  cudaDevices: number
  bf16: boolean
  amx: boolean
  mallocConfigured: boolean
  /** Whether large CPU tensors come from the addon's pool (Linux). */
  pooled: boolean
  /** Whether CUDA may multiply fp32 matrices with 10 bits of mantissa (`setTf32`). */
  tf32: boolean
  /** Whether cuDNN tries out its algorithms (`setCudnnBenchmark`). */
  cudnnBenchmark: boolean
  /** Whether operators without a deterministic kernel throw (`setDeterministic`). */
  deterministic: boolean
}

type View = ArrayBufferView
type H = number // a tensor or generator handle

/** The addon's exports (native/addon.cc); every one throws a JS error with `code` on misuse. */
export interface Native {
  resolve(name: string, overload: string): (...args: unknown[]) => unknown
  schema(name: string, overload: string): string
  fromBytes(data: View, dtype: number, shape: readonly number[], share?: boolean): H
  copyOut(tensor: H, view: View): void
  copyIn(tensor: H, view: View): void
  moveOut(tensor: H): ArrayBuffer
  shape(tensor: H): number[]
  strides(tensor: H): number[]
  dtype(tensor: H): number
  device(tensor: H): string
  isContiguous(tensor: H, memoryFormat?: number): boolean
  isPinned(tensor: H): boolean
  item(tensor: H): number | bigint | boolean
  dispose(tensor: H): boolean
  disposeAll(tensors: H[]): void
  account(tensor: H): void
  liveTensors(): number
  backward(outputs: H[], gradients: H[] | null, retainGraph: boolean): void
  gradients(
    outputs: H[],
    inputs: H[],
    gradients: H[] | null,
    retainGraph: boolean,
    createGraph: boolean,
    allowUnused: boolean,
  ): (H | null)[]
  requiresGrad(tensor: H): boolean
  setRequiresGrad(tensor: H, flag: boolean): void
  isLeaf(tensor: H): boolean
  grad(tensor: H): H | null
  setGrad(tensor: H, grad: H | null): void
  gradMode(enabled?: boolean): boolean
  autocastState(device: string): [boolean, number]
  setAutocast(device: string, enabled: boolean, dtype: number): void
  autocastNesting(step: 1 | -1): void
  engineInfo(): EngineInfo
  threads(count?: number, unlessChosen?: boolean): number
  trimMemory(): void
  setTf32(on: boolean): void
  setCudnnBenchmark(on: boolean): void
  setDeterministic(on: boolean): void
  synchronize(index?: number): void
  manualSeed(seed: number | bigint): void
  newGenerator(seed: number | bigint): H
  defaultGenerator(device: string): H
  freeGenerator(generator: H): boolean
  seedGenerator(generator: H, seed: number | bigint): void
  generatorState(generator: H): H
  setGeneratorState(generator: H, state: H): void
  lowerThreadPool(nice: number): void
}

/** The folder of this package (both `src/` and `dist/` lie directly in it). */
const packageRoot = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/** What builds the addon: in a checkout all of the set-up, else what an installed package has. */
const buildCommand = existsSync(resolve(packageRoot, '../../scripts/bootstrap.mjs'))
  ? 'npm run build:engine'
  : `node "${resolve(packageRoot, 'native/setUp.mjs')}"`

/**
 * The record of the addon that will be loaded: the file that `TREX_ENGINE` names, else `build/current.json`.
 * Null when nothing was built yet.
 * @throws EngineError when that file cannot be read.
 */
export function engineRecord(): EngineRecord | null {
  const chosen = process.env.TREX_ENGINE
  const path = chosen || resolve(packageRoot, 'build/current.json')
  if (!chosen && !existsSync(path)) return null
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as EngineRecord
  } catch (cause) {
    const source = chosen ? 'TREX_ENGINE names' : 'the engine is recorded in'
    const remedy = chosen ? "unset it, or name a build's engine.json" : `run \`${buildCommand}\``
    throw new EngineError(`${source} ${path}, which cannot be read as JSON: ${remedy}`, { cause })
  }
}

function load(): Native {
  const record = engineRecord()
  if (!record)
    throw new EngineError(
      `libtorch is not set up: run \`${buildCommand}\` (it looks for libtorch in $LIBTORCH, Python, the system)`,
    )
  // Threads of libgomp that wait between operators: spinning for long starves the loader's threads, sleeping at once
  // costs 10 % of a step. About 0.1 ms of spinning was best in both; libgomp reads this when it is loaded, here.
  if (!process.env.OMP_WAIT_POLICY) process.env.GOMP_SPINCOUNT ??= '30000'
  try {
    const engine = createRequire(import.meta.url)(record.addon) as Native
    useAllCores(engine)
    return engine
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
    throw new EngineError(
      `the addon for libtorch ${record.version} (${record.root}) does not load: ${reason}\n` +
        `Rebuild it with \`${buildCommand}\`; was libtorch moved, removed or upgraded since it was built?`,
      { cause },
    )
  }
}

/**
 * Debian's libtorch computes in one thread unless told otherwise. Once a process: a worker that loads the addon later
 * leaves the number that is set by then.
 */
function useAllCores(engine: Native): void {
  const { OMP_NUM_THREADS, MKL_NUM_THREADS } = process.env
  if (!OMP_NUM_THREADS && !MKL_NUM_THREADS && engine.threads() === 1)
    engine.threads(availableParallelism(), true)
}

let loaded: Native | undefined

/** The addon, loaded at first use, so that importing the package never fails. */
export function native(): Native {
  return (loaded ??= load())
}
