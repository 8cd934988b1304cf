import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { buildAddon, detectCompiler, selectEngine } from '../packages/torch/native/buildAddon.mjs'
import { findLibtorch } from '../packages/torch/native/findLibtorch.mjs'
import { withLock } from '../scripts/bootstrap/lock.mjs'
import { packagesMissing } from '../scripts/bootstrap/packages.mjs'
import { addCounts, countTests, summaryLine } from '../scripts/testRun.mjs'

const scratch = mkdtempSync(join(tmpdir(), 'trex-bootstrap-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

let folders = 0
const newFolder = () => join(scratch, `${++folders}`)

function write(path: string, text = '') {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

const suffix = process.platform === 'darwin' ? 'dylib' : 'so'
const nowhere = { prefixes: [], homebrew: [], archive: '/nonexistent' }

/** The files by which a libtorch is known, with nothing in the libraries. */
function makeLibtorch(
  root: string,
  { version = '2.5.1', lib = 'lib', libraries = ['torch', 'torch_cpu', 'c10'] } = {},
) {
  const [major, minor, patch] = version.split('.')
  write(join(root, 'include/ATen/ATen.h'))
  write(
    join(root, 'include/torch/csrc/api/include/torch/version.h'),
    `#define TORCH_VERSION_MAJOR ${major}\n#define TORCH_VERSION_MINOR ${minor}\n#define TORCH_VERSION_PATCH ${patch}\n`,
  )
  for (const name of libraries) write(join(root, lib, `lib${name}.${suffix}`))
  return root
}

describe('findLibtorch', () => {
  test('takes LIBTORCH first and reads its version', () => {
    const root = makeLibtorch(newFolder(), { version: '1.13.1' })
    expect(findLibtorch({ LIBTORCH: root }, nowhere)).toEqual({
      source: 'LIBTORCH',
      root,
      includeDirs: [join(root, 'include'), join(root, 'include/torch/csrc/api/include')],
      libDir: join(root, 'lib'),
      version: '1.13.1',
      cuda: false,
      cxx11Abi: true,
    })
  })

  test('reads the version where newer releases keep it', () => {
    const root = makeLibtorch(newFolder())
    write(
      join(root, 'include/torch/headeronly/version.h'),
      '#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 13\n#define TORCH_VERSION_PATCH 0\n',
    )
    expect(findLibtorch({ LIBTORCH: root }, nowhere)?.version).toBe('2.13.0')
  })

  test('knows CUDA and the old string ABI by the libraries', () => {
    const root = makeLibtorch(newFolder(), { libraries: ['torch', 'torch_cpu', 'torch_cuda', 'c10'] })
    write(join(root, `lib/libc10.${suffix}`), '\0_ZN3c106detail14torchCheckFailEPKcS2_jRKSs\0')
    expect(findLibtorch({ LIBTORCH: root }, nowhere)).toMatchObject({ cuda: true, cxx11Abi: false })
  })

  test('a wrong LIBTORCH is an error that names what is missing, not a step to the next place', () => {
    const system = makeLibtorch(newFolder())
    const root = makeLibtorch(newFolder(), { libraries: ['torch', 'torch_cpu'] })
    rmSync(join(root, 'include/ATen'), { recursive: true })
    const find = (LIBTORCH: string) => () => findLibtorch({ LIBTORCH }, { ...nowhere, prefixes: [system] })
    expect(find(root)).toThrow(`include/ATen/ATen.h, lib/libc10.${suffix} are missing`)
    expect(find('/nonexistent')).toThrow(
      'LIBTORCH=/nonexistent is no libtorch: the directory itself is missing',
    )
    expect(find(makeLibtorch(newFolder(), { version: '1.12.0' }))).toThrow('1.13 or newer (it is 1.12.0)')
  })

  test('a LIBTORCH one level too high is told the right one', () => {
    const root = newFolder()
    makeLibtorch(join(root, 'libtorch'))
    expect(() => findLibtorch({ LIBTORCH: root }, nowhere)).toThrow(`Set LIBTORCH=${join(root, 'libtorch')}`)
  })

  const python = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' })
  const noPython = python.status === 0 ? '' : ' (skipped: no python3)'
  test.skipIf(noPython)(`asks Python, and passes over a torch without headers${noPython}`, () => {
    const PYTHON = python.stdout.trim()
    const packages = newFolder()
    const system = makeLibtorch(newFolder())
    const find = () => findLibtorch({ PYTHON, PYTHONPATH: packages }, { ...nowhere, prefixes: [system] })
    write(join(packages, 'torch/__init__.py'), 'raise ImportError("it is not imported")')
    expect(find()).toMatchObject({ source: 'system', root: system })
    makeLibtorch(join(packages, 'torch'))
    expect(find()).toMatchObject({ source: 'python', python: PYTHON, libDir: join(packages, 'torch/lib') })
  })

  test('a PYTHON that does not run is an error', () => {
    expect(() => findLibtorch({ PYTHON: '/nonexistent' }, nowhere)).toThrow(
      'PYTHON=/nonexistent does not run',
    )
  })

  test('then the system, Homebrew, the archive, and null', () => {
    const places = {
      prefixes: ['/nonexistent', makeLibtorch(newFolder())],
      homebrew: [makeLibtorch(newFolder())],
      archive: makeLibtorch(newFolder()),
    }
    expect(findLibtorch({}, places)).toMatchObject({ source: 'system', root: places.prefixes[1] })
    expect(findLibtorch({}, { ...places, prefixes: [] })?.source).toBe('homebrew')
    expect(findLibtorch({}, { ...places, prefixes: [], homebrew: [] })?.source).toBe('archive')
    expect(findLibtorch({}, nowhere)).toBeNull()
  })

  const triple = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch as string]
  const notDebian = process.platform === 'linux' && triple ? '' : ' (skipped: not Linux on x64 or arm64)'
  test.skipIf(notDebian)(`finds the libraries where Debian puts them${notDebian}`, () => {
    const root = makeLibtorch(newFolder(), { lib: `lib/${triple}` })
    expect(findLibtorch({}, { ...nowhere, prefixes: [root] })?.libDir).toBe(join(root, 'lib', triple!))
  })
})

const source = `#include <node_api.h>
#include "answer.h"
extern "C" __attribute__((visibility("default")))
napi_value napi_register_module_v1(napi_env env, napi_value) {
  napi_value value;
  napi_create_int32(env, ANSWER, &value);
  return value;
}
`

describe('buildAddon', () => {
  function makeProject() {
    const root = makeLibtorch(newFolder())
    const { command } = detectCompiler()!
    for (const name of ['torch', 'torch_cpu', 'c10']) {
      const library = join(root, 'lib', `lib${name}.${suffix}`)
      execFileSync(command, ['-shared', '-x', 'c++', '/dev/null', '-o', library])
    }
    const nativeDir = newFolder()
    write(join(nativeDir, 'addon.cc'), source)
    write(join(nativeDir, 'answer.h'), '#define ANSWER 42\n')
    write(join(nativeDir, 'other.cc'), 'int other() { return 1; }\n')
    const buildDir = newFolder()
    const libtorch = findLibtorch({ LIBTORCH: root }, nowhere)!
    const build = () => buildAddon(libtorch, { nativeDir, buildDir })
    return { build, nativeDir, buildDir }
  }

  test('builds, loads, and then compiles only what changed', async () => {
    const { build, nativeDir, buildDir } = makeProject()
    const first = await build()
    expect(first).toMatchObject({ compiled: 2, linked: true })
    expect(createRequire(import.meta.url)(first.engine.addon)).toBe(42)

    expect(await build()).toEqual({ engine: first.engine, compiled: 0, linked: false })

    write(join(nativeDir, 'answer.h'), '#define ANSWER 43\n')
    const changed = await build()
    expect(changed).toMatchObject({ compiled: 1, linked: true })
    expect(changed.engine.sourceHash).not.toBe(first.engine.sourceHash)

    selectEngine(changed.engine, buildDir)
    const recorded = [join(buildDir, 'current.json'), join(dirname(changed.engine.addon), 'engine.json')]
    for (const path of recorded) expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(changed.engine)
  })

  test('a compile error shows what the compiler says and keeps the addon that works', async () => {
    const { build, nativeDir } = makeProject()
    const { engine } = await build()
    write(join(nativeDir, 'answer.h'), '#define ANSWER undefined_name\n')
    await expect(build()).rejects.toThrow(/compiling addon\.cc failed.*undefined_name.*Check: the compiler/s)
    expect(createRequire(import.meta.url)(engine.addon)).toBe(42)
  })
})

describe('withLock', () => {
  test('one at a time; the lock of a dead process is taken over', async () => {
    const path = join(newFolder(), 'lock')
    const dead = spawnSync(process.execPath, ['-e', '']).pid
    write(path, `${dead}\n`)
    const events: string[] = []
    const work = (name: string) => async () => {
      events.push(`${name} in`)
      await sleep(50)
      events.push(`${name} out`)
    }
    const told: string[] = []
    await Promise.all(['a', 'b'].map((name) => withLock(path, work(name), (line: string) => told.push(line))))
    expect(events).toEqual(['a in', 'a out', 'b in', 'b out'])
    expect(told).toEqual([`waiting for the set-up of process ${process.pid} (${path})`])
  })
})

test('packagesMissing compares node_modules with the lockfile', () => {
  const root = newFolder()
  const lock = (version: string) =>
    JSON.stringify({
      packages: {
        '': {},
        'node_modules/a': { version },
        'node_modules/b': { version: '1.0.0', optional: true },
      },
    })
  write(join(root, 'package-lock.json'), lock('1.0.0'))
  expect(packagesMissing(root)).toBe('no node_modules')
  write(
    join(root, 'node_modules/.package-lock.json'),
    JSON.stringify({ packages: { 'node_modules/a': { version: '1.0.0' } } }),
  )
  expect(packagesMissing(root)).toBe('node_modules/a is missing')
  write(join(root, 'node_modules/a/package.json'), '{}')
  expect(packagesMissing(root)).toBeUndefined()
  write(join(root, 'package-lock.json'), lock('1.0.1'))
  expect(packagesMissing(root)).toBe('node_modules/a is not 1.0.1')
  write(join(root, 'package-lock.json'), lock('1.0.0'))
  write(join(root, 'node_modules/.trex-platform'), 'plan9-mips')
  expect(packagesMissing(root)).toBe('installed for another platform')
})

describe('the last line of npm test', () => {
  const report = (passed: number, failed: number, pending: number, testResults: object[] = []) => ({
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: pending,
    numTodoTests: 0,
    testResults,
  })

  test('counts passed, failed and skipped', () => {
    expect(summaryLine(countTests(report(5, 0, 0), 0))).toBe('5 passed, 0 failed')
    expect(summaryLine(countTests(report(5, 2, 1), 1))).toBe('5 passed, 2 failed, 1 skipped')
    const all = addCounts(countTests(report(5, 0, 1), 0), { passed: 1, failed: 1, skipped: 0 })
    expect(summaryLine(all)).toBe('6 passed, 1 failed, 1 skipped')
  })

  test('never hides a failure that no test reports', () => {
    const unloaded = { status: 'failed', assertionResults: [] }
    expect(countTests(report(5, 0, 0, [unloaded]), 1)).toMatchObject({ passed: 5, failed: 1 })
    expect(countTests(report(5, 0, 0), 1)).toMatchObject({ passed: 5, failed: 1 })
  })
})
