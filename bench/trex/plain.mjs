/** One plain supervised step, ResNet + linear classifier + cross-entropy, in trex. */
import { F, Linear, randint, randn, Sequential, tidy } from '../../packages/torch/dist/index.js'
import { createEncoder } from '../../packages/trex/dist/method/index.js'
import { options, serve } from './serve.mjs'
import { inPrecision, placement, sgd } from './training.mjs'

const settings = options()
const { arch, batch, classes, globalSize, device } = settings

const model = tidy(() => {
  const encoder = createEncoder(arch)
  return new Sequential(encoder, new Linear(encoder.featureDim, classes)).to(placement(settings))
})
const optimizer = sgd(model.parameters(), settings)

const images = tidy(() => randn([batch, 3, globalSize, globalSize]).to(placement(settings)))
const labels = tidy(() => randint(0, classes, [batch]).to({ device }))

function step() {
  return tidy(() => {
    const loss = tidy(() => {
      const logits = inPrecision(settings, () => model.forward(images)) // [B, C]
      return F.crossEntropy(logits.to('float32'), labels)
    })
    optimizer.zeroGrad()
    loss.backward()
    optimizer.step()
    return loss.item()
  })
}

await serve(settings, step)
