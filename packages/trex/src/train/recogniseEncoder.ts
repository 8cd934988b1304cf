import { type EncoderKind, kindsIn } from '../checkpoints/encoderKind.js'
import { descriptionOf, type ModelDescription } from '../checkpoints/modelDescription.js'
import { TrexError } from '../errors.js'
import { openEncoderFile } from './encoderFile.js'

/** What weights tell of themselves. */
export interface RecognisedEncoder {
  readonly kind: EncoderKind
  /** Of a file that trex wrote. */
  readonly description: ModelDescription | undefined
}

/**
 * Recognises the encoder of a file of weights: a ResNet by the blocks of its stages, a vision transformer by its width,
 * depth, patches and positions. A teacher beside a student, or an encoder beside its average, is one kind.
 * @throws TrexError when there is none that can be built here, or there are several kinds.
 */
export function recogniseEncoder(path: string): RecognisedEncoder {
  using file = openEncoderFile(path)
  const { kinds } = kindsIn(file.networks)
  if (kinds.length === 1) return { kind: kinds[0]!, description: descriptionOf(file) }
  const found = kinds.map(({ encoder }) => encoder).join(', ')
  throw new TrexError(
    found
      ? `${path} has weights of several encoders: ${found}`
      : `the encoder in ${path} is not one that is recognised`,
    { hint: 'say with --encoder which it is (and --image-size, --set stem=... where they differ)' },
  )
}
