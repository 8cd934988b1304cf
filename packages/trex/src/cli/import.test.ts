import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openSafetensors, writeSafetensors } from 'trex-torch/safetensors'
import { afterAll, describe, expect, test } from 'vitest'
import { trex } from '../../test/support/trex.js'
import { floatsOf } from '../checkpoints/castTensor.js'
import { readDescription } from '../checkpoints/modelDescription.js'

const folder = mkdtempSync(join(tmpdir(), 'import-'))
afterAll(() => rmSync(folder, { recursive: true }))
const golden = (name: string) => fileURLToPath(new URL(`../../test/golden/${name}`, import.meta.url))
/** The command where no engine can be found. */
const run = (...args: string[]) =>
  trex(['import', ...args], { cwd: folder, env: { TREX_ENGINE: '/no/engine.json' } })
const sum = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('without an engine', () => {
  test('a torchvision file: the report, the encoder as safetensors with its description', async () => {
    const file = golden('pth/encoder-torchvision.pth')
    expect(await run(file, '--out', 'r18.safetensors')).toEqual({
      status: 0,
      stdout: [
        `encoder from ${file}: 120 tensors taken`,
        '  left over: fc.weight, fc.bias',
        'r18.safetensors: resnet18, 512 features, F32 and I64',
        '  images: shortest side to 224 px (bicubic), the centred 224 px',
        '',
      ].join('\n'),
      stderr: '',
    })
    using written = openSafetensors(join(folder, 'r18.safetensors'))
    expect(readDescription(written.metadata)).toMatchObject({
      ...{ encoder: 'resnet18', stem: 'imagenet', featureDim: 512, outputs: ['features'] },
      preprocess: { resize: 224, crop: 224, filter: 'bicubic', mean: [0.485, 0.456, 0.406] },
    })
    expect([...written.entries.keys()].slice(0, 2)).toEqual(['conv1.weight', 'bn1.weight'])
    for (const [i, name] of [...written.entries.keys()].entries()) {
      const { dtype, data } = written.read(name)
      const values = dtype === 'F32' ? floatsOf({ dtype, shape: [], data }) : [Number(data[0])]
      const place = dtype === 'F32' ? i / 64 : i // pthFixtures.py
      expect(values[0], name).toBeCloseTo(place, 5)
    }
  })

  test('a file that is there is replaced with --force alone, and it may be the one that is read', async () => {
    const file = join(folder, 'own.pth')
    copyFileSync(golden('pth/encoder-torchvision.pth'), file)
    const before = sum(readFileSync(file))
    const { status, stderr } = await run(file, '--out', 'own.pth')
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'error: own.pth is there already\nhint: choose another --out, or replace it with --force\n',
    })
    expect(sum(readFileSync(file))).toBe(before)
    expect(await run(file, '--out', 'own.pth', '--force')).toMatchObject({ status: 0 })
    expect(sum(readFileSync(file))).not.toBe(before)
    expect((await run(file, '--out', '.')).stderr).toContain('. is there already, and is no file')
  })

  test('as JSON, in another type, from another place, for other images', async () => {
    const flags = ['--key', 'student', '--dtype', 'float16', '--image-size', '96', '--resize', '112']
    const more = ['--mean', '0.5,0.5,0.5', '--std', '0.25,0.5,1', '--pooling', 'mean', '--filter', 'bilinear']
    const { stdout, stderr } = await run(
      golden('pth/encoder-dino.pth'),
      '--out',
      'a',
      '--json',
      ...flags,
      ...more,
    )
    expect(stderr).toBe('')
    const { report, description, types, out } = JSON.parse(stdout)
    expect(report).toMatchObject({ key: 'student', prefix: 'module.backbone.', taken: 150 })
    expect([types, out]).toEqual([['F16'], 'a'])
    expect(description).toMatchObject({
      vit: { patchSize: 16, pooling: 'mean' },
      preprocess: { resize: 112, crop: 96, filter: 'bilinear', mean: [0.5, 0.5, 0.5], std: [0.25, 0.5, 1] },
    })
    const again = await run('a', '--json', '--out', 'b') // what a file says of itself is kept
    expect(JSON.parse(again.stdout).description).toEqual(description)
    expect(sum(readFileSync(join(folder, 'b')))).toBe(sum(readFileSync(join(folder, 'a'))))
  })

  test('--inspect shows what is in a file, and reads no tensor of it', async () => {
    const { status, stdout } = await run(golden('pth/checkpoint-zip-2.13.pth'), '--inspect')
    expect(status).toBe(0)
    expect(stdout).toContain(
      '\n  state_dict: dict, 9 tensors of 139 elements, 560 B\n    module.0.weight: F32 [4, 3, 3, 3]\n',
    )
    expect(stdout).toContain('\n  args: collections.Counter\n')
    expect(stdout).toContain('\n  flags: tuple\n    0: True\n')
    const onnx = await run(golden('weights/exported.onnx'), '--inspect')
    expect(onnx.stdout).toMatch(/\n {2}nodes: 3: Conv 1, Flatten 1, Gemm 1\n {2}weights: dict, 4 tensors of/)
    const { stdout: json } = await run(golden('weights/kinds.npz'), '--inspect', '--json')
    expect(JSON.parse(json)).toMatchObject({ format: 'npz', tree: { kind: 'branch' } })
    expect(readdirSync(folder)).not.toContain('encoder.safetensors')
  })

  test('errors say what, where and what to do', async () => {
    const failure = async (...args: string[]) => {
      const { status, stdout, stderr } = await run(...args)
      expect([status, stdout]).toEqual([1, ''])
      return stderr
    }
    expect(await failure('none.pth')).toMatch(
      /^error: none\.pth: cannot be opened: ENOENT.*\nhint: Check the path\.\n$/,
    )
    expect(await failure(golden('weights/exported.onnx'))).toMatch(
      /exported\.onnx: has no encoder.*\nhint: A graph is run as it is/,
    )
    const small = Object.entries({ 'conv1.weight': [64, 3, 3, 3] })
    writeSafetensors(
      join(folder, 'part.safetensors'),
      small.map(([name, shape]) => ({ name, dtype: 'F32', shape, data: new Uint8Array(4 * 64 * 27) })),
    )
    expect(await failure('part.safetensors')).toContain('part.safetensors: has no encoder that is recognised')
    const file = golden('pth/encoder-torchvision.pth')
    expect(await failure(file, '--out', 'no/such/x')).toMatch(/error: .*ENOENT.*\nhint: choose another --out/)
    expect(await failure(file, '--mean', '1,2')).toContain('--mean 1,2 is not three numbers')
    expect(await failure(file, '--resize', '100')).toContain('--resize 100 is below the image size 224')
    copyFileSync(golden('pth/hostile-system.pth'), join(folder, 'evil.pth'))
    expect(await failure('evil.pth')).toContain('evil.pth: holds no tensors by name')
    writeFileSync(join(folder, 'x.pth'), 'hello')
    expect(await failure('x.pth', '--inspect')).toContain('x.pth: is no file of weights that is known')
    execFileSync('mkfifo', [join(folder, 'pipe.pth')])
    expect(await failure('pipe.pth')).toContain('pipe.pth: is no file')
    expect(readdirSync(folder).filter((name) => name === 'PWNED' || name.endsWith('.tmp'))).toEqual([])
  })
})
