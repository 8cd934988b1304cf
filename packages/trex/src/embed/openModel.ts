import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bufferSource } from '../checkpoints/byteSource.js'
import { floatsOf } from '../checkpoints/castTensor.js'
import { openFileSource } from '../checkpoints/fileSource.js'
import { resolveSettings } from '../config.js'
import { TrexError } from '../errors.js'
import { runCheckpoint } from '../train/runCheckpoint.js'
import { hubModel, hubPreprocess } from './hubFolder.js'
import { type Given, type Model, readModel, type WeightsModel } from './model.js'

/** A model in Node: the path, file: URL or bytes of a file, a run folder, or a folder in transformers.js' layout. */
export type ModelInput = string | URL | Uint8Array

/** A model that was found, with the file it is in. */
export type OpenedModel = Model & { readonly file: string | Uint8Array }

/**
 * Finds and reads a model.
 * @throws TrexError when there is none, or as `readModel` does.
 */
export function openModel(model: ModelInput, given: Given = {}): OpenedModel {
  if (model instanceof Uint8Array) {
    const source = bufferSource(model, 'the model given as bytes')
    return { ...readModel(source, given), file: model }
  }
  const path = pathOf(model)
  if (!existsSync(path))
    throw new TrexError(`there is no model ${path}`, {
      hint: 'give a file of weights (.pth, .safetensors, .npz, .onnx), a run folder, or one in the layout of transformers.js',
    })
  if (!statSync(path).isDirectory()) return inFile(path, given)
  if (existsSync(join(path, 'config.yaml'))) return inRun(path, given)
  return inFile(hubModel(path), { ...given, defaults: () => hubPreprocess(path) })
}

function pathOf(model: string | URL): string {
  const text = typeof model === 'string' ? model : model.href
  if (text.startsWith('file:')) return fileURLToPath(text)
  if (typeof model === 'string') return model
  throw new TrexError(`${text} is not on this machine`, {
    hint: 'download it first (`trex pull` gets models from the hub), or give its bytes',
  })
}

function inFile(file: string, given: Given): OpenedModel {
  using source = openFileSource(file)
  return { ...readModel(source, given), file }
}

/** The encoder of a run as its settings describe it. */
function inRun(dir: string, given: Given): OpenedModel {
  const { globalCrops, normalization, vit } = resolveSettings({ configFile: join(dir, 'config.yaml') })
  return inFile(runCheckpoint(dir, undefined), {
    pooling: vit.pooling,
    ...given,
    imageSize: given.imageSize ?? globalCrops.size,
    defaults: () => normalization,
  })
}

/**
 * SHA-256 of what computes the features: of weights that of `trex extract`, over names, shapes and float32 values, whatever
 * the file; of a graph of its bytes.
 */
export function modelFingerprint(model: OpenedModel): string {
  if (model.weights) return weightsFingerprint(model)
  const bytes = typeof model.file === 'string' ? readFileSync(model.file) : model.file
  return createHash('sha256').update(bytes).digest('hex')
}

function weightsFingerprint({ weights: { kind, tensors }, description: { vit } }: WeightsModel): string {
  const hash = createHash('sha256').update(`${kind.encoder} ${vit?.pooling ?? ''}\n`)
  const state = [...tensors].filter(([name]) => !name.endsWith('num_batches_tracked'))
  for (const [name, tensor] of state.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { buffer, byteOffset, byteLength } = floatsOf(tensor)
    hash.update(`${name} float32 [${tensor.shape}]\n`).update(new Uint8Array(buffer, byteOffset, byteLength))
  }
  return hash.digest('hex')
}
