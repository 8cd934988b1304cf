import { createHash } from 'node:crypto'
import { Generator } from 'trex-torch'
import { createEncoder, type Encoder } from '../method/encoder.js'
import type { Precision } from '../method/precision.js'
import { isViT, type Settings } from '../settings.js'
import { type InitReport, loadEncoder } from './initFrom.js'
import { resolvePrecision } from './precision.js'

/** An encoder ready to compute features, in evaluation mode on its device; disposing it releases its weights. */
export interface OpenEncoder extends Disposable {
  readonly encoder: Encoder
  readonly precision: Precision
  /** SHA-256 of the encoder, see `encoderFingerprint`. */
  readonly fingerprint: string
  /** What it is, for people: `resnet50 of weights.pth`. */
  readonly describe: string
  /** What was read; null: it is untrained. */
  readonly loaded: InitReport | null
}

/**
 * Builds the encoder that settings describe with the weights of a file (a checkpoint of a run, safetensors or `.pth`);
 * with null it is untrained, as `settings.seed` draws it.
 * @throws TrexError as `loadEncoder` and `resolvePrecision` do.
 */
export function openEncoder(settings: Settings, weights: string | null): OpenEncoder {
  const precision = resolvePrecision(settings)
  const { stem, vit, globalCrops, seed } = settings
  const generator = weights === null ? { generator: new Generator(seed) } : {}
  const encoder = createEncoder(settings.encoder, { stem, vit, imageSize: globalCrops.size, ...generator })
  try {
    const loaded = weights === null ? null : loadEncoder(encoder, weights)
    const fingerprint = encoderFingerprint(encoder, settings)
    encoder.to({
      device: precision.device,
      memoryFormat: settings.channelsLast ? 'channelsLast' : 'contiguous',
    })
    encoder.eval()
    return {
      ...{ encoder, precision, fingerprint, loaded },
      describe: `${settings.encoder} ${weights === null ? `without training, seed ${seed}` : `of ${weights}`}`,
      [Symbol.dispose]: () => encoder.dispose(),
    }
  } catch (error) {
    encoder.dispose()
    throw error
  }
}

/**
 * SHA-256 over the names, shapes and bytes of the encoder's tensors, by name, and what its features depend on besides:
 * the kind, and of a vision transformer the pooling. Counters of batches do not count: no evaluation reads them.
 */
export function encoderFingerprint(encoder: Encoder, { encoder: kind, vit }: Settings): string {
  const hash = createHash('sha256').update(`${kind} ${isViT(kind) ? vit.pooling : ''}\n`)
  const state = [...encoder.stateDict()].filter(([name]) => !name.endsWith('num_batches_tracked'))
  for (const [name, tensor] of state.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { buffer, byteOffset, byteLength } = tensor.toTypedArray()
    hash.update(`${name} ${tensor.dtype} [${tensor.shape}]\n`)
    hash.update(new Uint8Array(buffer, byteOffset, byteLength))
  }
  return hash.digest('hex')
}
