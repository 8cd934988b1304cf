import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const script = fileURLToPath(new URL('../../../scripts/killResume.mjs', import.meta.url))

test('a run that is killed and resumed ends with the weights of one that was not, bit for bit', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--kills', '1', '--epochs', '3'], {
    encoding: 'utf8',
    env: { ...process.env, OMP_NUM_THREADS: '1' },
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(/^kill 1 after row \d+ of \d+: \d{3} tensors equal bit for bit$/m)
})
