import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Generator, saveTensors, type Tensor, tidy } from 'trex-torch'
import { afterAll, expect, test } from 'vitest'
import { createEncoder } from '../method/encoder.js'
import { loadEncoderWeights } from './encoderWeights.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-weights-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const encoder = (seed: number) => createEncoder('resnet18', { stem: 'small', generator: new Generator(seed) })
const first = ({ stateDict }: { stateDict: ReadonlyMap<string, Tensor> }) =>
  stateDict.get('conv1.weight')!.toFloat32Array()

test.each(['float32', 'float64', 'float16', 'bfloat16'] as const)('weights in %s are read', (dtype) =>
  tidy(() => {
    const path = join(dir, `${dtype}.safetensors`)
    const state = new Map([...encoder(1).stateDict()].map(([name, tensor]) => [name, tensor.to(dtype)]))
    saveTensors(path, state)
    const other = encoder(2)
    loadEncoderWeights(path, other)
    expect(first({ stateDict: other.stateDict() })).toEqual(first({ stateDict: state }))
  }),
)

test('a missing, a misshapen and an unknown weight are named, and nothing is changed', () =>
  tidy(() => {
    const path = join(dir, 'wrong.safetensors')
    const state = new Map(encoder(1).stateDict('encoder'))
    state.set('encoder.bn1.weight', state.get('encoder.layer2.0.bn1.weight')!)
    state.set('encoder.bn9.weight', state.get('encoder.bn1.bias')!)
    state.delete('encoder.bn1.bias')
    saveTensors(path, state)
    const other = encoder(2)
    const before = first({ stateDict: other.stateDict() })
    expect(() => loadEncoderWeights(path, other)).toThrow(
      /fits another encoder: encoder\.bn1\.weight is \[128\], not \[64\]; encoder\.bn9\.weight is unknown; bn1\.bias is missing$/,
    )
    expect(first({ stateDict: other.stateDict() })).toEqual(before)
  }))
