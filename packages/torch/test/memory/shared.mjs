/** With --expose-gc: what holds what. Prints one line of JSON. */
import { fromTypedArray, liveTensors, randn, tidy, zeros } from '../../dist/index.js'

const collect = async () => {
  for (let i = 0; i < 5; i++) {
    globalThis.gc()
    await new Promise((done) => setTimeout(done, 5))
  }
}

/** A SharedArrayBuffer whose only holder is a tensor must stay until the tensor goes, and then go. */
async function sharedMemory() {
  const gone = new Set()
  const registry = new FinalizationRegistry((name) => gone.add(name))
  const make = (name) => {
    const view = Float32Array.from({ length: 1024 }, (_, i) => i)
    const shared = new Float32Array(new SharedArrayBuffer(4096))
    shared.set(view)
    registry.register(shared, name)
    return fromTypedArray(shared, [1024], { share: true })
  }
  const tensor = make('kept')
  await collect()
  const trash = Array.from({ length: 200 }, () => new Float32Array(new SharedArrayBuffer(4096)).fill(7)) // would take freed memory
  await collect()
  const intact = tensor.toTypedArray().every((value, i) => value === i) && trash.length === 200
  const heldWhileAlive = !gone.has('kept')
  const view = tensor.slice(0, 5, 7) // shares the storage
  tensor.dispose()
  await collect()
  const heldByView = !gone.has('kept') && `${view.toTypedArray()}` === '5,6'
  view.dispose()
  make('other').dispose() // the next share gives back what was lent before
  await collect()
  return { intact, heldWhileAlive, heldByView, released: gone.has('kept') }
}

/** A moved-out array holds the native memory; it can be read after everything else is gone. */
async function movedOut() {
  let array = tidy(() => randn([1000]).fill_(3).moveToTypedArray())
  await collect()
  randn([1000]).dispose()
  const intact = array.every((value) => value === 3)
  array = null
  await collect()
  return intact
}

/** Tensors made outside of tidy are released by the collector. */
async function collected() {
  const before = liveTensors()
  ;(() => {
    for (let i = 0; i < 100; i++) zeros([10]).add(1)
  })()
  const grown = liveTensors() - before
  await collect()
  return { grown, left: liveTensors() - before }
}

/** Their bytes count for the collector: a loop without tidy does not fill the memory. */
async function pressure() {
  const before = process.memoryUsage().rss
  let most = 0
  for (let i = 0; i < 300; i++) {
    zeros([4 << 20]) // 16 MiB
    if (i % 10 === 9) await new Promise((done) => setImmediate(done))
    most = Math.max(most, process.memoryUsage().rss)
  }
  return Math.round((most - before) / 2 ** 20)
}

console.log(
  JSON.stringify({
    shared: await sharedMemory(),
    moved: await movedOut(),
    collected: await collected(),
    peakMiB: await pressure(),
  }),
)
