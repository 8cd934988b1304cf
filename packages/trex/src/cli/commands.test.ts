import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { trex } from '../../test/support/trex.js'

describe('every command', () => {
  test.each([
    [[]],
    [['train']],
    [['eval']],
    [['replay']],
    [['runs']],
    [['compare']],
    [['demo']],
    [['doctor']],
  ])('%j --help ends with an example', async (command) => {
    const { status, stdout } = await trex([...command, '--help'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/Example:\n {2}\$ trex \w+/)
  })

  test('--version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(await trex(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' })
  })

  test.each([
    [['trian'], "unknown command 'trian'", 'Did you mean train?'],
    [['train', '--json'], '--json goes with --print-config', 'metrics.jsonl'],
    [['eval', 'run', '--split', 'test'], "argument 'test' is invalid", 'val, train, all'],
    [['train', '--recpe', 'trex'], "unknown option '--recpe'", 'Did you mean --recipe?'],
    [['doctor', '--jsn'], "unknown option '--jsn'", 'Did you mean --json?'],
    [['demo', '--epochs', 'ten'], "'--epochs <n>' argument 'ten' is invalid", 'It is not a number'],
    [['demo', '--epochs', '0'], 'epochs = 0: expected number to be >=1', 'Settings come from'],
    [['demo', '--data', '/no/such', '--seed', '-1'], 'seed = -1', 'Settings come from'],
    [
      ['demo', '--data', '/no/such'],
      'cannot read /no/such: there is no such folder',
      'expected DATA/<class>',
    ],
  ])('%j is an error with a remedy', async (args, error, remedy) => {
    const { status, stdout, stderr } = await trex(args)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain(error)
    expect(stderr).toContain(remedy)
    expect(stderr).not.toMatch(/^\s+at /m)
  })
})

describe('doctor', () => {
  test('describes the engine, and is JSON for programs', async () => {
    const plain = await trex(['doctor'])
    expect(plain.status).toBe(0)
    expect(plain.stdout).toMatch(
      /^node +v\d+.*\nmachine .*\nlibtorch +\d+\.\d+.*\ndevices +cpu.*\nthreads +1$/m,
    )
    const { status, stdout } = await trex(['doctor', '--json'])
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, node: process.version, threads: 1 })
  })

  test('without an engine: says what is missing, exit code 1', async () => {
    const env = { TREX_ENGINE: '/no/engine.json' }
    const plain = await trex(['doctor'], { env })
    expect(plain.status).toBe(1)
    expect(plain.stdout).toMatch(
      /^missing +TREX_ENGINE names \/no\/engine\.json, which cannot be read as JSON/m,
    )
    const { status, stdout } = await trex(['doctor', '--json'], { env })
    expect(status).toBe(1)
    const diagnosis = JSON.parse(stdout)
    expect(diagnosis).toMatchObject({ ok: false, libtorch: null, devices: [], precision: null })
    expect(diagnosis.missing).toEqual([
      { what: 'libtorch', remedy: expect.stringContaining('TREX_ENGINE names /no/engine.json') },
    ])
  })
})
