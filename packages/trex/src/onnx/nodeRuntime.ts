import { TrexError } from '../errors.js'

export type NodeRuntime = typeof import('onnxruntime-node')

/** onnxruntime-node, which is loaded here and not before. @throws TrexError where it cannot be loaded */
export async function nodeRuntime(): Promise<NodeRuntime> {
  try {
    return await import('onnxruntime-node')
  } catch (cause) {
    const missing = (cause as { code?: string }).code === 'ERR_MODULE_NOT_FOUND'
    const why = missing ? 'is not installed' : `cannot be loaded: ${(cause as Error).message}`
    throw new TrexError(`onnxruntime-node ${why}`, { hint: 'npm install onnxruntime-node', cause })
  }
}
