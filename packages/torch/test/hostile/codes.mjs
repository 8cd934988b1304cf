/** Numbers and names that stand for something: dtypes, layouts, devices, thread counts, generator states. */
import { addon, op, tensor, x } from './addon.mjs'

const codes = Array.from({ length: 300 }, (_, i) => i - 20)
const devices = [
  'cpu:5', 'cuda', 'cuda:0', 'cuda:99999999999', 'mps', 'meta', 'xla', 'hpu', 'mkldnn', 'opengl', 'opencl', 'ideep', 'hip',
  'fpga', 'maia', 'ort', 'lazy', 'vulkan', 'metal', 've', 'ipu', 'xpu', 'mtia', 'privateuseone', 'privateuseone:1', ':0',
] // biome-ignore format: a list of words

export function* codeCases() {
  for (const code of codes) {
    yield { name: `fromBytes of dtype ${code}`, run: () => addon.fromBytes(new Uint8Array(16), code, [4]) }
    yield { name: `converted to dtype ${code}`, run: () => op('aten::_to_copy')(x(), code) }
    yield { name: `zeros of dtype ${code}`, run: () => op('aten::zeros')([2], code) }
    yield { name: `autocast to dtype ${code}`, run: () => addon.setAutocast('cpu', false, code) }
  }
  for (const code of codes.slice(0, 40)) {
    yield { name: `memory format ${code}`, run: () => addon.isContiguous(x(), code) }
    yield { name: `contiguous in memory format ${code}`, run: () => op('aten::contiguous')(x(), code) }
    yield {
      name: `empty in memory format ${code}`,
      run: () => op('aten::empty.memory_format')([1, 1, 2, 2], 6, null, null, null, code),
    }
    yield { name: `layout ${code}`, run: () => op('aten::empty.memory_format')([2], 6, code) }
    yield { name: `reduction ${code}`, run: () => op('aten::mse_loss')(x(), x(), code) }
  }
  for (const device of devices) {
    yield { name: `zeros on ${device}`, run: () => op('aten::zeros')([2], 6, null, device) }
    yield { name: `copied to ${device}`, run: () => op('aten::_to_copy')(x(), null, null, device) }
    yield { name: `generator of ${device}`, run: () => addon.defaultGenerator(device) }
    yield { name: `autocast on ${device}`, run: () => addon.setAutocast(device, true, 15) }
  }
  for (const count of [0, -1, 1e9, 2 ** 31, 1.5])
    yield { name: `threads(${count})`, run: () => addon.threads(count) }
  for (const length of [0, 1, 5055, 5056, 5057])
    yield {
      name: `a generator state of ${length} zeros`,
      run: () =>
        addon.setGeneratorState(addon.newGenerator(1), addon.fromBytes(new Uint8Array(length), 0, [length])),
    }
  yield {
    name: 'a generator state of random bytes',
    run: () =>
      addon.setGeneratorState(
        addon.newGenerator(1),
        addon.fromBytes(
          Uint8Array.from({ length: 5056 }, (_, i) => i * 37),
          0,
          [5056],
        ),
      ),
  }
  yield {
    name: 'a generator state of floats',
    run: () => addon.setGeneratorState(addon.newGenerator(1), tensor(Array(5056).fill(1))),
  }
  for (let i = 0; i < 100; i++)
    yield { name: `autocastNesting(-1), ${i} times too often`, run: () => addon.autocastNesting(-1) }
}
