/** A side's name, `program:precision[-cl][-malloc][-libtorch]`, into the command that starts it. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url))
const SIDE = /^(trex|torch|ort):(fp32|bf16|fp16)(-cl)?(-malloc)?(-libtorch)?$/

/**
 * @typedef {object} Side
 * @property {string} name
 * @property {'trex' | 'torch' | 'ort'} program `ort`: onnxruntime-node alone, in the program of trex
 * @property {Record<string, unknown>} settings what the name adds to the benchmark's settings
 * @property {Record<string, string>} env what the name adds to the environment
 */

/**
 * Keeps freed memory in the process instead of returning large blocks to the system on every free, as trex does for
 * itself with a pool and mallopt; `-malloc` gives a PyTorch peer what environment variables can.
 */
const KEEP_FREED_MEMORY = {
  MALLOC_MMAP_THRESHOLD_: String(2 ** 32),
  MALLOC_TRIM_THRESHOLD_: String(2 ** 36),
  MALLOC_TOP_PAD_: String(2 ** 26),
}

/**
 * @param {string} name
 * @returns {Side}
 */
export function parseSide(name) {
  const match = SIDE.exec(name)
  if (!match) {
    throw new Error(
      `Unknown side '${name}': write trex:bf16-cl or torch:fp32 (fp32|bf16|fp16, then -cl, -malloc)`,
    )
  }
  const [, program, dtype, channelsLast, malloc, libtorch] = match
  return {
    name,
    program: /** @type {Side['program']} */ (program),
    settings: {
      ...{ program, dtype, layout: channelsLast ? 'channels_last' : 'contiguous' },
      engine: libtorch ? 'libtorch' : 'onnxruntime',
    },
    env: malloc ? KEEP_FREED_MEMORY : {},
  }
}

/**
 * @param {Side} side
 * @param {string} script
 * @param {Record<string, unknown>} settings
 * @param {string | undefined} python
 * @returns {{ command: string, args: string[] }}
 */
export function sideCommand(side, script, settings, python) {
  const json = JSON.stringify({ ...settings, ...side.settings })
  if (side.program === 'torch')
    return { command: python ?? 'python3', args: [here(`./peers/${script}.py`), json] }
  if (!existsSync(here('../packages/trex/dist/method/index.js'))) {
    throw new Error('trex is not built: run `npm run demo` or `node scripts/bootstrap.mjs` first')
  }
  return { command: process.execPath, args: [here(`./trex/${script}.mjs`), json] }
}
