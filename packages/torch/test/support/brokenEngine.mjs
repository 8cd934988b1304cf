/** Uses the package with an addon that is no library; prints the error. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zeros } from '../../dist/index.js'

const folder = mkdtempSync(join(tmpdir(), 'engine-'))
const addon = join(folder, 'addon.node')
writeFileSync(addon, 'not a library')
writeFileSync(join(folder, 'engine.json'), JSON.stringify({ version: '9.9.9', root: '/usr', addon }))
process.env.TREX_ENGINE = join(folder, 'engine.json')
try {
  zeros([1])
} catch (error) {
  console.log(`${error.name}: ${error.message}`)
} finally {
  rmSync(folder, { recursive: true })
}
