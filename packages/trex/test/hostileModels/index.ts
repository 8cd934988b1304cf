import { readFileSync } from 'node:fs'
import { config } from './config.js'
import { type Case, casesOf, changed, type HostileModel, type Traps, unforetold } from './hostileModel.js'
import { npz } from './npz.js'
import { onnx } from './onnx.js'
import { calls } from './pthCalls.js'
import { structures, tensors } from './pthPickles.js'
import { zips } from './pthZips.js'
import { safetensors } from './safetensors.js'

const GOLDEN = ['kinds-zip-2.13', 'views-zip-1.13', 'checkpoint-legacy-2.13', 'checkpoint-protocol5-2.13']
const golden = (i: number) =>
  readFileSync(new URL(`../golden/pth/${GOLDEN[i % GOLDEN.length]}.pth`, import.meta.url))

/** All files, whose payloads would leave a marker or call a port. */
export function hostileModels(traps: Traps): HostileModel[] {
  const mutations = Array.from(
    { length: 8 },
    (_, i): Case => [`changed bytes ${i}`, () => changed(golden(i), i), unforetold],
  )
  const pth = [...calls(traps), ...tensors, ...structures, ...zips, ...mutations]
  return [
    ...casesOf('pth', pth),
    ...casesOf('safetensors', safetensors),
    ...casesOf('npz', npz(traps)),
    ...casesOf('onnx', onnx(traps)),
    ...casesOf('config', config(traps)),
  ]
}
