/** One t-ReX training step (online class means) in trex. */
import { cat, F, randint, randn, tidy } from '../../packages/torch/dist/index.js'
import {
  createEncoder,
  MemoryBank,
  MomentumEncoder,
  MultiCropModel,
  OnlineClassMeans,
  Projector,
} from '../../packages/trex/dist/method/index.js'
import { options, serve } from './serve.mjs'
import { inPrecision, placement, sgd } from './training.mjs'

const settings = options()
const { arch, batch, classes, bank, bottleneck, device } = settings

function createModel() {
  const encoder = createEncoder(arch)
  return new MultiCropModel(encoder, new Projector(encoder.featureDim, settings)).to(placement(settings))
}

const model = tidy(createModel)
const momentumEncoder = new MomentumEncoder(model, tidy(createModel), settings.emaMomentum)
const memoryBank = tidy(() => new MemoryBank(bank, bottleneck, classes).to({ device }))
const prototypes = new OnlineClassMeans(memoryBank, momentumEncoder, settings.temperature)
const optimizer = sgd(model.parameters(), settings)

const sizes = [settings.globalSize, ...Array(settings.localCrops).fill(settings.localSize)]
const crops = tidy(() => sizes.map((size) => randn([batch, 3, size, size]).to(placement(settings))))
const labels = tidy(() => randint(0, classes, [batch]).to({ device }))
const targets = cat(crops.map(() => labels))

function step() {
  return tidy(() => {
    const loss = tidy(() => {
      const z = inPrecision(settings, () => model.embed(crops)) // [M*B, D]
      const logits = prototypes.logits(z) // [M*B, C]
      inPrecision(settings, () => prototypes.observe(crops[0], labels))
      return F.crossEntropy(logits, targets)
    })
    optimizer.zeroGrad()
    loss.backward()
    optimizer.step()
    return loss.item()
  })
}

await serve(settings, step)
