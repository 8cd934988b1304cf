import { cat, keep, noGrad, type Tensor, tidy } from 'trex-torch'
import { featureSpectrum } from '../analysis/featureSpectrum.js'
import type { Sample } from '../data/sources/sample.js'
import { imageTensor } from '../method/imageTensor.js'
import { withPrecision } from '../method/precision.js'
import type { Settings } from '../settings.js'
import type { Learner } from './learner.js'
import type { SpectrumFigures } from './metrics.js'
import { type ValidationReading, validationBatches } from './reading.js'

/** Images whose features are looked at: enough for the spectrum's large values, and quick. */
const MOST_IMAGES = 2048

/**
 * The spectrum of the encoder's features of validation images, taken at even distances when there are many; or why there
 * is none: a run does not end for that.
 */
export async function validationSpectrum(
  { model, precision }: Learner,
  samples: readonly Sample[],
  settings: Pick<Settings, 'validation' | 'batchSize' | 'channelsLast'>,
  reading: ValidationReading,
): Promise<SpectrumFigures | { missing: string }> {
  const { channelsLast } = settings
  const every = Math.ceil(samples.length / MOST_IMAGES)
  const some = samples.filter((_, i) => i % every === 0)
  const parts: Tensor[] = []
  model.eval()
  try {
    for await (const batch of validationBatches(some, settings, reading)) {
      parts.push(
        tidy(() =>
          noGrad(() => {
            const images = imageTensor(batch, { precision, channelsLast }) // [B, 3, S, S]
            return keep(withPrecision(precision, () => model.encoder.forward(images)).clone()) // [B, F]
          }),
        ),
      )
      batch.release()
    }
    if (parts.length === 0) return { missing: 'none of its images can be read' }
    return spectrumOf(parts)
  } finally {
    for (const part of parts) part.dispose()
    model.train()
  }
}

/** The spectrum of features in parts [B, F] of all images. */
function spectrumOf(parts: readonly Tensor[]): SpectrumFigures | { missing: string } {
  try {
    const images = parts.reduce((sum, part) => sum + part.size(0), 0)
    const { singularValues, ...figures } = tidy(() => featureSpectrum(cat(parts)))
    return { images, ...figures, singularValues: [...singularValues] }
  } catch (error) {
    return { missing: (error as Error).message } // they are not finite, or their eigenvalues do not converge
  }
}
