/**
 * Compiles the AssemblyScript beside it and writes the module into src/data/pixels/fast/wasmBytes.ts:
 *
 *   node packages/trex/assembly/build.mjs
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const folder = fileURLToPath(new URL('.', import.meta.url))
const target = new URL('../src/data/pixels/fast/wasmBytes.ts', import.meta.url)

const FLAGS = [
  ...['--optimizeLevel', '3', '--shrinkLevel', '0', '--converge', '--noAssert'],
  ...['--runtime', 'stub', '--enable', 'simd', '--use', 'abort='],
]

/** The WebAssembly module, as bytes; throws with the compiler's message. */
export async function compile() {
  let bytes
  const messages = []
  const { error } = await asc.main(['index.ts', '--baseDir', folder, '--outFile', 'pixels.wasm', ...FLAGS], {
    stderr: { write: (text) => messages.push(text) },
    writeFile: (_name, content) => {
      bytes = content
    },
  })
  if (error || messages.length > 0) throw new Error(`AssemblyScript: ${messages.join('')}`, { cause: error })
  return bytes
}

/** The text of wasmBytes.ts for a module. */
export function sourceText(bytes) {
  const base64 = Buffer.from(bytes).toString('base64')
  return `// Made by packages/trex/assembly/build.mjs from the AssemblyScript beside it: change that, and build again.

/** The WebAssembly module of the fast pixel operations, in base64. */
export const WASM_BASE64 =
  '${base64}'
`
}

/** The text of wasmBytes.ts as it is now. */
export const presentText = () => readFile(target, 'utf8')

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bytes = await compile()
  await writeFile(target, sourceText(bytes))
  console.log(`${fileURLToPath(target)}: ${bytes.length} bytes of WebAssembly`)
}
