import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Generator, Linear } from 'trex-torch'
import { expect, test } from 'vitest'
import { detImages } from '../../test/support/det.js'
import { describe, rawTensors, weightsOf } from '../../test/support/onnx.js'
import { pythonWith } from '../../test/support/python.js'
import { createEncoder } from '../method/encoder.js'
import { Projector } from '../method/projector.js'
import { encoderOnnx } from './encoderOnnx.js'
import { int8Onnx } from './int8Onnx.js'

const { python, why } = pythonWith('onnx', process.env.TREX_ONNX_PYTHON ?? '/opt/onnx/bin/python')

const CHECK = `
import sys, onnx
for path in sys.argv[1:]:
    onnx.checker.check_model(path, full_check=True)
    model = onnx.load(path)
    shape = lambda v: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    print([(v.name, shape(v)) for v in [*inferred.graph.input, *inferred.graph.output]], model.opset_import[0].version)
`

test.skipIf(python === null)(`the checker of ONNX passes every kind of graph${why}`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'trex-onnx-'))
  const generator = new Generator(3)
  const paths: string[] = []
  const write = (bytes: Uint8Array) => {
    paths.push(join(folder, `${paths.length}.onnx`))
    writeFileSync(paths.at(-1)!, bytes)
  }
  try {
    const calibration = (side: number) => {
      const shape = [2, 3, side, side] as const
      return [{ images: detImages('checker', 2, 3, side), shape }]
    }
    const encoder = createEncoder('resnet18', { generator, stem: 'small' })
    const projector = new Projector(512, { layers: 1, hidden: 32, bottleneck: 16, generator })
    const heads = [...projector.stateDict('projector'), ...new Linear(16, 5).stateDict('prototypes')]
    const weights = weightsOf(encoder, rawTensors(new Map(heads)))
    const description = describe(weights, 64, { outputs: ['features', 'embedding', 'logits'] })
    write(encoderOnnx(weights, description, { temperature: 0.1 }))
    write(encoderOnnx(weights, description, { precision: 'fp16', temperature: 0.1 }))
    write(await int8Onnx(weights, description, calibration(32), { temperature: 0.1 }))
    write(await int8Onnx(weights, description, null, { temperature: 0.1 }))
    const larger = weightsOf(createEncoder('resnet50', { generator }))
    write(encoderOnnx(larger, describe(larger, 64), { layout: 'transformers.js' }))
    for (const pooling of ['class', 'mean'] as const) {
      const vit = { patchSize: 16, pooling }
      const weights = weightsOf(createEncoder('vit_tiny', { generator, imageSize: 32, vit }))
      const description = describe(weights, 48, { vit })
      write(encoderOnnx(weights, description, { precision: pooling === 'class' ? 'fp32' : 'fp16' }))
      write(await int8Onnx(weights, description, calibration(48)))
    }
    const lines = execFileSync(python!, ['-c', CHECK, ...paths], { encoding: 'utf8' })
      .trim()
      .split('\n')
    expect(lines).toHaveLength(9)
    expect(lines[0]).toBe(
      "[('pixel_values', ['batch', 3, 'height', 'width']), ('features', ['batch', 512]), ('embedding', ['batch', 16]), ('logits', ['batch', 5])] 17",
    )
    expect(lines[5]).toBe("[('pixel_values', ['batch', 3, 48, 48]), ('features', ['batch', 192])] 17")
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
