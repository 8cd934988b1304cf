import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const script = fileURLToPath(new URL('../../../scripts/killSweep.mjs', import.meta.url))

test('a run that is killed and resumed ends with the weights of one that was not, bit for bit', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--quick', '--jobs', '1'], {
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(/\n2 of 2 killed runs equal the uninterrupted one\n$/)
})
