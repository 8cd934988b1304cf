import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fromTypedArray, noGrad, setNumThreads, tidy } from 'trex-torch'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createEncoder } from '../src/method/encoder.js'
import { loadEncoder } from '../src/train/initFrom.js'
import { recogniseEncoder } from '../src/train/recogniseEncoder.js'
import { valuesOf } from './support/model.js'
import { pythonWith } from './support/python.js'

const { python, why } = pythonWith('transformers', process.env.TREX_ONNX_PYTHON ?? '/opt/onnx/bin/python')
const script = fileURLToPath(new URL('transformersModels.py', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'transformers-'))
afterAll(() => rmSync(folder, { recursive: true }))
beforeAll(() => {
  setNumThreads(1)
  const env = { ...process.env, OMP_NUM_THREADS: '1', HF_HUB_OFFLINE: '1' }
  if (python) execFileSync(python, [script, folder], { env, stdio: 'pipe' })
})

const floats = (name: string) => new Float32Array(Uint8Array.from(readFileSync(join(folder, name))).buffer)

test.skipIf(!python).each([
  ['vit', 'vit_tiny'],
  ['resnet', 'resnet18'],
])(`%s of Hugging Face transformers is %s: features within 1e-5${why}`, (name, kind) => {
  const path = join(folder, name, 'model.safetensors')
  expect(recogniseEncoder(path).kind.encoder).toBe(kind)
  const encoder = createEncoder(kind)
  const report = loadEncoder(encoder, path)
  expect([report.missing, report.taken]).toEqual([[], encoder.stateDict().size])
  encoder.eval()
  const input = floats('input.f32')
  const features = tidy(() =>
    noGrad(() => valuesOf(encoder.forward(fromTypedArray(input, [2, 3, 224, 224])))),
  )
  const theirs = floats(`${name}.f32`)
  const norm = (values: readonly number[]) => Math.hypot(...values)
  const difference = Array.from(theirs, (value, i) => value - features[i]!)
  expect(norm(difference) / norm([...theirs])).toBeLessThan(1e-5)
  encoder.dispose()
})
