/** One t-ReX training step (online class means): the very `trainStep` of `trex train`. */
import { randint, randn, tidy } from '../../packages/torch/dist/index.js'
import { trainStep } from '../../packages/trex/dist/index.js'
import { benchLearner } from './learner.mjs'
import { options, serve } from './serve.mjs'
import { placement } from './training.mjs'

const settings = options()
const { batch, classes, device } = settings
const learner = benchLearner(settings)

// One tensor a resolution, as the loader hands them over.
const groups = [
  [1, settings.globalSize],
  [settings.localCrops, settings.localSize],
]
const crops = tidy(() =>
  groups.map(([count, size]) => randn([count * batch, 3, size, size]).to(placement(settings))),
)
const labels = tidy(() => randint(0, classes, [batch]).to({ device }))

await serve(settings, () => tidy(() => trainStep(learner, { crops, labels }, settings.lr).loss.item()))
