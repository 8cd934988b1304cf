import type { InferenceSession } from 'onnxruntime-web'
import { TrexError } from '../errors.js'
import { type FeatureSession, type GraphOutput, onnxSession } from './session.js'

/** What computes in a browser. */
export type WebDevice = 'webgpu' | 'wasm'

/** How onnxruntime-web computes. */
export interface WebRuntimeOptions extends GraphOutput {
  /** Default `auto`: WebGPU where there is a real GPU and it computes what WebAssembly does, else WebAssembly. */
  readonly device?: 'auto' | WebDevice | undefined
  /**
   * URL, ending in `/`, of a folder with the files `ort-wasm-*` of onnxruntime-web's `dist`; default: the .wasm files are
   * where the bundler puts them.
   */
  readonly wasmPaths?: string | undefined
  /**
   * Threads of WebAssembly. More than one need `wasmPaths` and a page that is cross-origin isolated; default: one, or with
   * these up to 4.
   */
  readonly threads?: number | undefined
}

/** A session of onnxruntime-web. */
export interface WebSession extends FeatureSession {
  readonly device: WebDevice
  /** What computes, in words. */
  readonly engine: string
}

/** Of what a GPU computes, relative to the features' length: rounding is far below, a wrong kernel far above. */
const MOST_ERROR = 0.01

/**
 * Opens an ONNX file for images of side `size` in onnxruntime-web, which is loaded here, and with it only the WebAssembly
 * of the device that is used. Rejects with TrexError for a model that it does not take, or a device that is not there.
 */
export async function openWebRuntime(
  model: Uint8Array,
  name: string,
  size: number,
  options: WebRuntimeOptions = {},
): Promise<WebSession> {
  const { device = 'auto', threads, wasmPaths } = options
  if (threads !== undefined && threads > 1 && wasmPaths === undefined)
    throw new TrexError('several threads need wasmPaths', {
      hint: 'serve the files ort-wasm-* of node_modules/onnxruntime-web/dist from a folder, and give its URL as wasmPaths',
    })
  if (!['auto', 'webgpu', 'wasm'].includes(device))
    throw new TrexError(`there is no device ${device}`, { hint: 'auto, webgpu or wasm' })
  if (device === 'wasm') return openWasm(model, name, options)
  const adapter = await navigator.gpu?.requestAdapter()
  if (device === 'webgpu') {
    if (adapter) return openWebGpu(model, name, size, options)
    throw new TrexError('there is no WebGPU here', {
      hint: 'use device: "auto", or a browser and a GPU with it',
    })
  }
  let reason = 'it is not here'
  if (adapter?.info?.isFallbackAdapter) reason = 'there is no GPU behind it'
  else if (adapter) {
    try {
      return await openWebGpu(model, name, size, options)
    } catch (error) {
      reason = (error as Error).message
    }
  }
  const session = await openWasm(model, name, options)
  return { ...session, engine: `${session.engine}; not WebGPU: ${reason}` }
}

type Runtime = Pick<typeof import('onnxruntime-web'), 'InferenceSession' | 'Tensor' | 'env'>

async function openWasm(model: Uint8Array, name: string, options: WebRuntimeOptions): Promise<WebSession> {
  const runtime = await import('onnxruntime-web/wasm')
  configure(runtime, options)
  return open(runtime, model, name, options, 'wasm')
}

async function openWebGpu(
  model: Uint8Array,
  name: string,
  size: number,
  options: WebRuntimeOptions,
): Promise<WebSession> {
  const runtime = await import('onnxruntime-web/webgpu')
  configure(runtime, options)
  const session = await open(runtime, model, name, options, 'webgpu')
  try {
    const reference = await open(runtime, model, name, options, 'wasm')
    try {
      await checkAgrees(session, reference, size)
    } finally {
      await reference.release()
    }
  } catch (error) {
    await session.release()
    throw error
  }
  return session
}

function configure({ env }: Runtime, { wasmPaths, threads }: WebRuntimeOptions): void {
  if (wasmPaths !== undefined) env.wasm.wasmPaths = wasmPaths
  // A thread starts from the file that made it. A bundler's chunk starts the whole page there, and never answers.
  env.wasm.numThreads = wasmPaths === undefined ? 1 : (threads ?? 0)
}

async function open(
  { InferenceSession, Tensor, env }: Runtime,
  model: Uint8Array,
  name: string,
  options: GraphOutput,
  device: WebDevice,
): Promise<WebSession> {
  let session: InferenceSession
  try {
    session = await InferenceSession.create(model, { executionProviders: [device] })
  } catch (cause) {
    throw new TrexError(`ONNX Runtime cannot open ${name}: ${(cause as Error).message.split('\n')[0]}`, {
      hint: 'is it a complete model, and are the .wasm files of onnxruntime-web where the page looks for them (wasmPaths)?',
      cause,
    })
  }
  try {
    const { run, ...rest } = onnxSession(session, Tensor, options)
    const engine = `onnxruntime-web ${env.versions.web}, ${device === 'wasm' ? 'WebAssembly' : 'WebGPU'}`
    return { ...rest, device, engine, run: (...args) => inTurn(() => run(...args)) }
  } catch (error) {
    await session.release()
    throw error
  }
}

let last: Promise<unknown> = Promise.resolve()

/** One run at a time: the sessions of onnxruntime-web share what is not made for several. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = last.then(work)
  last = result.catch(() => {})
  return result
}

/** Compares the features of an image of noise. Rejects with TrexError where they differ. */
export async function checkAgrees(
  session: FeatureSession,
  reference: FeatureSession,
  size: number,
): Promise<void> {
  const noise = Float32Array.from({ length: 3 * size * size }, (_, i) => ((i * 7919) % 1009) / 252 - 2)
  const { features } = await session.run(noise, 1)
  const wanted = (await reference.run(noise, 1)).features
  const length = Math.hypot(...wanted)
  const error = Math.hypot(...features.map((value, i) => value - wanted[i]!))
  if (!(error <= MOST_ERROR * length))
    throw new TrexError('WebGPU computes other features here than WebAssembly does', {
      hint: 'use device: "wasm", or another browser or driver',
    })
}
