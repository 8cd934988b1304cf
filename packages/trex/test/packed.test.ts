import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { Generator } from 'trex-torch'
import { afterAll, describe, expect, test } from 'vitest'
import { writePth } from '../src/deploy/writePth.js'
import { loadEncoder } from '../src/embed/index.js'
import { createEncoder } from '../src/method/encoder.js'
import { weightsOf, worn } from './support/onnx.js'
import { picture } from './support/pictures.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const folder = await mkdtemp(join(tmpdir(), 'trex-packed-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

interface Result {
  status: number
  stdout: string
  stderr: string
}

/** Runs a program in the folder of a user, who has no engine; what it printed and its exit status. */
async function run(command: string, args: string[], cwd = folder): Promise<Result> {
  const { TREX_ENGINE, LIBTORCH, PYTHON, NODE_PATH, ...env } = process.env
  const options = { cwd, env: { ...env, NO_COLOR: '1' }, maxBuffer: 2 ** 26, timeout: 110_000 }
  return promisify(execFile)(command, args, options).then(
    ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
    ({ code, stdout = '', stderr = '' }) => ({ status: code, stdout, stderr }),
  )
}

interface Packed {
  file: string
  size: number
  unpackedSize: number
}

const packing = await run(process.execPath, ['scripts/pack.mjs', folder], root)
if (packing.status !== 0) throw new Error(packing.stderr)
const [torch, trex] = JSON.parse(packing.stdout.trim().split('\n').at(-1)!) as [Packed, Packed]

describe.each([
  ['trex-torch', torch],
  ['trex', trex],
])('the tarball of %s', (_, { file }) => {
  test('has entries that publint finds nothing to say of', async () => {
    const tarball = await readFile(file)
    const { messages, pkg } = await publint({
      pack: { tarball: new Uint8Array(tarball).buffer },
      strict: true,
    })
    expect(messages.map((message) => formatMessage(message, pkg!))).toEqual([])
  })

  test('has types that resolve for ESM and bundlers (attw)', async () => {
    const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js')
    const { status, stdout } = await run(process.execPath, [attw, file, '--profile', 'esm-only'])
    expect(status, stdout).toBe(0)
  })

  test('holds no tests, maps, build records or scripts', async () => {
    const names = (await run('tar', ['tzf', file])).stdout.trim().split('\n')
    expect(names).toEqual(expect.arrayContaining(['package/README.md', 'package/LICENSE', 'package/NOTICE']))
    expect(names.filter((name) => /\.test\.|\.map$|tsbuildinfo|\.node$|engine\.json/.test(name))).toEqual([])
    expect(names.filter((name) => /\.ts$/.test(name) && !name.endsWith('.d.ts'))).toEqual([])
    const { stdout } = await run('tar', ['xzOf', file, 'package/package.json'])
    const manifest = JSON.parse(stdout)
    expect(manifest).not.toHaveProperty('scripts')
    expect(manifest).not.toHaveProperty('devDependencies')
  })
})

test('trex is small', () => {
  expect(trex.size).toBeLessThan(2 ** 20)
  expect(trex.unpackedSize).toBeLessThan(4 * 2 ** 20)
})

await writeFile(join(folder, 'package.json'), '{ "name": "user", "private": true, "type": "module" }\n')
const install = await run('npm', [
  ...['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'],
  ...[trex.file, 'onnxruntime-node@1.30.0'],
])
const noRegistry = /E?(NOTFOUND|CONNREFUSED|CONNRESET|TIMEDOUT|AI_AGAIN|NOTCACHED)|ERR_SOCKET_TIMEOUT/.test(
  install.stderr,
)

describe.skipIf(noRegistry)(`installed${noRegistry ? ' (skipped: npm reaches no registry)' : ''}`, () => {
  test('without scripts, in an empty folder', () => expect(install.status, install.stderr).toBe(0))

  test('gives the features that the workspace gives, without libtorch', async () => {
    const image = await picture('owl', 300, 200)
    const tensors = [...weightsOf(worn(createEncoder('resnet18', { generator: new Generator(3) }))).tensors]
    writePth(
      join(folder, 'resnet18.pth'),
      tensors.map(([name, tensor]) => ({ name, ...tensor })),
    )
    await writeFile(join(folder, 'owl.jpg'), image)
    await writeFile(
      join(folder, 'embed.js'),
      `import { loadEncoder } from 'trex'
      const encoder = await loadEncoder('resnet18.pth', { threads: 1 })
      const { features, shape } = await encoder.embed('owl.jpg')
      console.log(JSON.stringify({ features: [...features], shape, engine: encoder.engine }))`,
    )
    const { status, stdout, stderr } = await run(process.execPath, ['embed.js'])
    expect(status, stderr).toBe(0)
    await using encoder = await loadEncoder(join(folder, 'resnet18.pth'), { threads: 1 })
    const { features, shape } = await encoder.embed(new Uint8Array(image))
    expect(JSON.parse(stdout)).toEqual({ features: [...features], shape, engine: 'onnxruntime-node 1.30.0' })
  })

  test('shows its help', async () => {
    const { status, stdout } = await run('npx', ['trex', '--help'])
    expect(status).toBe(0)
    expect(stdout).toContain('Usage: trex')
  })

  test('doctor names what builds the engine here, and what runs without it', async () => {
    const { status, stdout } = await run('npx', ['trex', 'doctor'])
    expect(status).toBe(1)
    expect(stdout).toMatch(/^onnx +onnxruntime-node 1\.30\.0/m)
    expect(stdout).not.toContain('npm run')
    const script = /^missing +libtorch is not set up: run `node "(.*?)"`/m.exec(stdout)?.[1]
    expect(script).toContain(join(folder, 'node_modules'))
    // It starts, finds all it imports, and says what is wrong with a libtorch that is none.
    const { stderr } = await run('env', ['LIBTORCH=/nowhere', process.execPath, script!])
    expect(stderr).toContain('set-up failed: LIBTORCH=/nowhere is no libtorch')
  })
})
