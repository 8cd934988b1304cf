/** Finding the Python whose PyTorch is the engine's own libtorch version. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)
const PROBE = 'import sys, torch; print(sys.executable, torch.__version__)'

/** @typedef {{ path: string, torch: string }} Python */

/**
 * The engine that trex loads here.
 * @returns {{ version: string, python: string | undefined } | undefined} undefined where none was built; python:
 * the interpreter whose torch the engine's libtorch is, or lies in
 */
export function selectedEngine() {
  try {
    const path = process.env.TREX_ENGINE || new URL('../packages/torch/build/current.json', import.meta.url)
    const { version, python, root } = JSON.parse(readFileSync(path, 'utf8'))
    const [prefix, rest] = root.split(/\/lib\/python3[^/]*\/(?:site|dist)-packages\//)
    return { version, python: python ?? (rest ? `${prefix}/bin/python3` : undefined) }
  } catch {
    return undefined
  }
}

/**
 * Version without the build's suffix: '2.13.0+cpu' -> '2.13.0'.
 * @param {string} version
 */
export const release = (version) => version.split(/[+]/)[0].replace(/a0$/, '')

/**
 * @param {string} path
 * @returns {Promise<Python | undefined>} undefined where there is no such Python, or no torch in it
 */
async function probe(path) {
  try {
    const { stdout } = await run(path, ['-c', PROBE], { timeout: 60_000 })
    const [executable, torch] = stdout.trim().split(' ')
    return { path: executable, torch }
  } catch {
    return undefined
  }
}

/**
 * TREX_BENCH_PYTHON if set; else the first candidate with the engine's torch version; else the first with any.
 * @param {string | undefined} engineVersion libtorch's version in the engine
 * @param {string | null | undefined} enginePython the Python that the engine's libtorch comes from
 * @returns {Promise<{ python?: Python, why?: string }>} why: the reason there is none
 */
export async function findPython(engineVersion, enginePython) {
  const chosen = process.env.TREX_BENCH_PYTHON
  if (chosen) {
    const python = await probe(chosen)
    return python ? { python } : { why: `TREX_BENCH_PYTHON=${chosen} cannot import torch` }
  }
  /** @type {Python | undefined} */
  let any
  for (const path of new Set([enginePython, '/usr/bin/python3', 'python3'])) {
    const python = path ? await probe(path) : undefined
    if (python && (!engineVersion || release(python.torch) === release(engineVersion))) return { python }
    any ??= python
  }
  return any ? { python: any } : { why: 'no Python with torch (set TREX_BENCH_PYTHON to one)' }
}
