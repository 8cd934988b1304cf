import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { compile, presentText, sourceText } from '../../../../assembly/build.mjs'

test('the committed module is what the AssemblyScript sources compile to', async () => {
  expect(await presentText()).toBe(sourceText(await compile()))
})

test('a platform without WebAssembly gets a clear error', async () => {
  const module = new URL('../../../../dist/data/pixels/fast/pixels.js', import.meta.url)
  const code = `const { Pixels } = await import('${module}'); try { new Pixels() } catch (e) { console.log(e.message) }`
  // Without a just-in-time compiler V8 has no WebAssembly.
  const args = ['--jitless', '--input-type=module', '-e', code]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  expect(stdout).toContain('this platform has no WebAssembly, which the fast pixel operations need')
})
