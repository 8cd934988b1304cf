import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fromTypedArray, noGrad, setNumThreads, tidy } from 'trex-torch'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encoderWeights } from '../src/checkpoints/encoderWeights.js'
import { openFileSource } from '../src/checkpoints/fileSource.js'
import { openCheckpoint } from '../src/checkpoints/openCheckpoint.js'
import { createEncoder } from '../src/method/encoder.js'
import { loadEncoder } from '../src/train/initFrom.js'
import { valuesOf } from './support/model.js'
import { pythonsWith } from './support/python.js'

// Whole ResNets that PyTorch writes here and now (torchModels.py), with each version of it that there is.

const FILES = [
  ...['plain', 'checkpoint', 'half', 'bfloat16', 'shared', 'strided', 'legacy'].map(
    (kind) => `resnet18-${kind}.pth`,
  ),
  ...['plain', 'checkpoint', 'half'].map((kind) => `resnet50-${kind}.pth`),
]
const script = fileURLToPath(new URL('torchModels.py', import.meta.url))
const { pythons, why } = pythonsWith('torch', 'torch.__version__')

beforeAll(() => setNumThreads(1))

const cases: { python: string | null; version: string }[] = pythons.length
  ? pythons
  : [{ python: null, version: 'of any version' }]

describe.each(cases)(`PyTorch $version${why}`, ({ python }) => {
  const folder = mkdtempSync(join(tmpdir(), 'models-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  beforeAll(() => {
    if (python) execFileSync(python, [script, folder], { env: { ...process.env, OMP_NUM_THREADS: '1' } })
  })
  const floats = (name: string) => new Float32Array(Uint8Array.from(readFileSync(join(folder, name))).buffer)
  const expected = () =>
    JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')).files as Record<
      string,
      { arch: string; tensors: Record<string, string> }
    >

  test.skipIf(!python).each(FILES)('%s: every tensor has the bytes that PyTorch has', (name) => {
    using source = openFileSource(join(folder, name))
    const { weights, report } = encoderWeights(openCheckpoint(source))
    const { arch, tensors } = expected()[name]!
    expect(weights.kind.encoder).toBe(arch)
    const sums = [...weights.tensors].map(([key, { data }]) => [
      key,
      createHash('sha256').update(data).digest('hex'),
    ])
    expect(Object.fromEntries(sums)).toEqual(tensors)
    expect(report.missing).toEqual([])
  })

  test.skipIf(!python).each(['resnet18-plain', 'resnet18-strided', 'resnet50-checkpoint'])(
    "%s: features are PyTorch's within 1e-5",
    (name) => {
      const arch = name.split('-')[0]!
      const encoder = createEncoder(arch)
      loadEncoder(encoder, join(folder, `${name}.pth`))
      encoder.eval()
      const features = tidy(() =>
        noGrad(() => valuesOf(encoder.forward(fromTypedArray(floats('input.f32'), [2, 3, 64, 64])))),
      )
      const theirs = floats(`${arch}.f32`)
      const norm = (values: ArrayLike<number>) => Math.hypot(...Array.from(values))
      const difference = Array.from(theirs, (value, i) => value - features[i]!)
      expect(features.length).toBe(theirs.length)
      expect(norm(difference) / norm(theirs)).toBeLessThan(1e-5)
      encoder.dispose()
    },
  )
})
