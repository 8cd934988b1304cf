import { withoutSecrets } from '../data/sources/httpUrl.js'
import { TrexError } from '../errors.js'
import type { ImagePart } from '../features/computeFeatures.js'
import type { Settings } from '../settings.js'
import { openData, placeOf } from './dataPlace.js'
import { knownSet } from './knownSet.js'

/** Which images are extracted, see `trex extract --help`. */
export type Split = 'both' | 'train' | 'val' | 'all' | 'trainval' | 'test'

/** Parts of a transfer set, as it is published. */
export async function partsOfSet(name: string, root: string, split: Split): Promise<ImagePart[]> {
  const names = (['trainval', 'test'] as const).filter((part) => split === 'both' || split === part)
  if (names.length === 0)
    throw new TrexError(`--split ${split} is for other data: the parts of ${name} are trainval and test`, {
      hint: 'give --split trainval, test or both',
    })
  const { classes, ...data } = await knownSet(name).open(root)
  return names.map((part) => ({ name: part, samples: data[part], classes, root }))
}

/** Parts of a training set, divided as for training. */
export async function partsOfData(data: string, settings: Settings, split: Split): Promise<ImagePart[]> {
  const place = placeOf(data)
  const root = withoutSecrets(place)
  const { train, val, classes, stream } = await openData(place, settings)
  const part = (name: string, samples: ImagePart['samples']): ImagePart => ({
    ...{ name, samples, classes, root },
    ...(stream && { stream }),
  })
  if (split === 'all') return [part('all', [...train, ...val])]
  if (split === 'trainval' || split === 'test')
    throw new TrexError(`--split ${split} is for transfer sets`, {
      hint: 'say which with --dataset NAME (`--dataset folder` for class folders of your own), or give --split train or val',
    })
  if (split !== 'both') return [part(split, split === 'train' ? train : val)]
  return [part('train', train), ...(val.length ? [part('val', val)] : [])]
}
