/** The cost of calling an operator: additions of two one-element fp32 tensors without autograd. */
import { noGrad, randn, tidy } from '../../packages/torch/dist/index.js'
import { options, serve } from './serve.mjs'

/** Calls in one tidy scope: about as many as a training step of a ResNet-50 makes. */
const SCOPE = 1000

const settings = options()
const a = randn([1], { device: settings.device })
const b = randn([1], { device: settings.device })

function step() {
  noGrad(() => {
    for (let done = 0; done < settings.calls; done += SCOPE) {
      tidy(() => {
        for (let i = 0; i < SCOPE; i++) a.add(b)
      })
    }
  })
  return null
}

await serve(settings, step)
