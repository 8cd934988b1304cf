/** What a worker does; named by `workerData.job`. `forever` jobs are there to be terminated. */
import { parentPort, workerData } from 'node:worker_threads'
import {
  Conv2d,
  F,
  fromTypedArray,
  Generator,
  getNumThreads,
  grad,
  liveTensors,
  randn,
  tidy,
} from '../../dist/index.js'

const ready = () => parentPort.postMessage('ready')

/** A fixed computation with one right answer. */
export function checksum(seed, rounds = 20) {
  const generator = new Generator(seed)
  return tidy(() => {
    let x = randn([24, 24], { generator, dtype: 'float64' })
    for (let i = 0; i < rounds; i++) x = x.matmul(x.t()).div(50).tanh()
    return x.sum().item()
  })
}

function convStep(convs, x) {
  tidy(() => {
    const loss = tidy(() => convs.reduce((value, conv) => F.relu(conv.forward(value)), x).sum())
    grad(
      loss,
      convs.flatMap((conv) => conv.parameters()),
    )
  })
}

const forever = {
  ops() {
    const x = randn([64, 64])
    ready()
    for (;;) tidy(() => x.matmul(x).add(1).softmax(1).sum().item())
  },
  untidyOps() {
    const x = randn([64])
    ready()
    for (;;) x.add(1)
  },
  backward() {
    const convs = [new Conv2d(3, 16, 3), new Conv2d(16, 16, 3), new Conv2d(16, 8, 3)]
    const x = randn([4, 3, 24, 24])
    ready()
    for (;;) convStep(convs, x)
  },
  shared() {
    ready()
    const kept = []
    for (let i = 0; ; i++) {
      const memory = new Float32Array(new SharedArrayBuffer(4096))
      kept[i % 100] = fromTypedArray(memory, [32, 32], { share: true })
      kept[(i * 7) % 100]?.mul(2).moveToTypedArray()
    }
  },
}

const finite = {
  checksums: () => parentPort.postMessage(workerData.seeds.map((seed) => checksum(seed))),
  threads: () => parentPort.postMessage(getNumThreads()),
  leaveTensors() {
    globalThis.left = [
      randn([100, 100]),
      fromTypedArray(new Float32Array(new SharedArrayBuffer(64)), [16], { share: true }),
    ]
    globalThis.moved = randn([50]).moveToTypedArray()
    parentPort.postMessage(liveTensors())
  },
  exit() {
    globalThis.left = randn([100])
    process.exit(7)
  },
  fail() {
    globalThis.left = randn([100])
    throw new Error('on purpose')
  },
}

if (workerData?.job) ({ ...forever, ...finite })[workerData.job]()
