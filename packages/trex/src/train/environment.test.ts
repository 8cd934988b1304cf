import { cpus, hostname } from 'node:os'
import { getNumThreads } from 'trex-torch'
import { afterEach, expect, test } from 'vitest'
import { currentEnvironment, environmentChanges, environmentSchema } from './environment.js'
import { parseGpus } from './gpus.js'

const argv = [...process.argv]
afterEach(() => {
  process.argv = [...argv]
})

test('tells where and how a run was started, without what is secret in addresses', () => {
  process.argv = ['node', 'trex', 'train', 'https://me:pass@example.org/a.tar?token=abc', '--out', 'RUN']
  const before = Date.now()
  const environment = currentEnvironment()
  expect(environment).toMatchObject({
    trex: expect.stringMatching(/^\d+\.\d+\.\d+/),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    engine: {
      version: expect.stringMatching(/^\d+\.\d+/),
      threads: getNumThreads(),
      bf16: expect.any(Boolean),
    },
    host: hostname(),
    cpu: { cores: cpus().length },
    command: ['trex', 'train', 'https://...@example.org/a.tar?...', '--out', 'RUN'],
  })
  expect(Date.parse(environment.started)).toBeGreaterThanOrEqual(before)
  expect(JSON.stringify(environment)).not.toMatch(/pass|abc/)
  expect(environmentSchema.parse(JSON.parse(JSON.stringify(environment)))).toMatchObject({
    node: process.version,
  })
})

const old = {
  node: 'v20',
  platform: 'linux-x64',
  engine: { version: '2.13.0', threads: 2 },
  libtorch: 'python',
}
const full = { ...old, cpu: { model: 'Xeon', cores: 2 }, gpus: [{ name: 'H100', memoryMiB: 81559 }] }

test.each([
  ['nothing', full, full, []],
  ['what changes no digits', full, { ...full, node: 'v22', libtorch: 'system' }, []],
  ['what an older env.json does not hold', old, full, []],
  [
    'another version of the program',
    { ...full, trex: '1.0.0' },
    { ...full, trex: '1.1.0' },
    ['trex 1.0.0 -> 1.1.0'],
  ],
  ['threads', old, { ...old, engine: { version: '2.13.0', threads: 4 } }, ['threads 2 -> 4']],
  [
    'another machine',
    full,
    { ...full, platform: 'linux-arm64', cpu: { model: 'Neoverse' }, gpus: [{ name: 'H200' }] },
    ['platform linux-x64 -> linux-arm64', 'processor Xeon -> Neoverse', 'GPU H100 -> H200'],
  ],
])('of %s it says what may change the last digits', (_, before, now, changes) =>
  expect(environmentChanges(before, now)).toEqual(changes),
)

test("GPUs are those of nvidia-smi's lines", () => {
  expect(parseGpus('NVIDIA H100 80GB HBM3, 81559\nNVIDIA A2, Rev B, 15356\n')).toEqual([
    { name: 'NVIDIA H100 80GB HBM3', memoryMiB: 81559 },
    { name: 'NVIDIA A2, Rev B', memoryMiB: 15356 },
  ])
  expect(parseGpus('NVIDIA GB10, [N/A]\n')).toEqual([{ name: 'NVIDIA GB10', memoryMiB: null }])
  expect(parseGpus('No devices were found\n')).toEqual([])
})
