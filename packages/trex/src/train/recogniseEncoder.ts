import { type EncoderKind, encoderPlaces } from '../checkpoints/encoderKind.js'
import { TrexError } from '../errors.js'
import { openEncoderFile } from './encoderFile.js'

/**
 * Recognises the encoder of a file of weights: a ResNet by the blocks of its stages, a vision transformer by its width,
 * depth, patches and positions. A teacher beside a student, or an encoder beside its average, is one kind.
 * @throws TrexError when there is none that can be built here, or there are several kinds.
 */
export function recogniseEncoder(path: string): EncoderKind {
  using file = openEncoderFile(path)
  const kinds = new Map(
    file.networks
      .flatMap(({ tensors }) => encoderPlaces(tensors).map(({ kind }) => kind))
      .map((kind): [string, EncoderKind] => [JSON.stringify(kind), kind]),
  )
  if (kinds.size === 1) return [...kinds.values()][0]!
  const found = [...kinds.values()].map(({ encoder }) => encoder).join(', ')
  throw new TrexError(
    found
      ? `${path} has weights of several encoders: ${found}`
      : `the encoder in ${path} is not one that is recognised`,
    { hint: 'say with --encoder which it is (and --image-size, --set stem=... where they differ)' },
  )
}
