import { createRequire } from 'node:module'
import { TrexError } from '../errors.js'
import { type FeatureSession, type GraphOutput, onnxSession } from './session.js'

/** How onnxruntime-node computes. */
export interface OnnxRuntimeOptions extends GraphOutput {
  /** Threads; default: all cores. */
  readonly threads?: number | undefined
}

/**
 * Opens an ONNX file, a path or its bytes, in onnxruntime-node, which is loaded here.
 * @throws TrexError when that is not installed, or does not take the file.
 */
export async function openOnnxRuntime(
  model: string | Uint8Array,
  name: string,
  { threads, ...output }: OnnxRuntimeOptions,
): Promise<FeatureSession & { readonly engine: string }> {
  const { InferenceSession, Tensor } = await onnxRuntime()
  let session: Awaited<ReturnType<typeof InferenceSession.create>>
  try {
    const options = threads === undefined ? {} : { intraOpNumThreads: threads }
    session = await InferenceSession.create(model as string, options)
  } catch (cause) {
    throw new TrexError(`ONNX Runtime cannot open ${name}: ${(cause as Error).message.split('\n')[0]}`, {
      hint: 'is it an ONNX file, complete, of operators and a version that it knows?',
      cause,
    })
  }
  try {
    return { ...onnxSession(session, Tensor, output), engine: `onnxruntime-node ${runtimeVersion()}` }
  } catch (error) {
    await session.release()
    throw error
  }
}

async function onnxRuntime(): Promise<typeof import('onnxruntime-node')> {
  try {
    return await import('onnxruntime-node')
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND'
    const why = missing ? 'is not installed' : `does not load: ${(cause as Error).message.split('\n')[0]}`
    throw new TrexError(`onnxruntime-node, which runs ONNX models, ${why}`, {
      hint: 'install it: npm install onnxruntime-node',
      cause,
    })
  }
}

/** Whether onnxruntime-node is installed. */
export function hasOnnxRuntime(): boolean {
  try {
    createRequire(import.meta.url).resolve('onnxruntime-node')
    return true
  } catch {
    return false
  }
}

function runtimeVersion(): string {
  const require = createRequire(import.meta.url)
  return (require('onnxruntime-node/package.json') as { version: string }).version
}
