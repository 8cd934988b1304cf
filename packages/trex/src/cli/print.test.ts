import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const bin = fileURLToPath(new URL('../../bin/trex.cjs', import.meta.url))
const full = existsSync('/dev/full')

test.each([
  ['eval', '--help'],
  ['train', '--print-schema'],
])('who reads the output of %s %s may stop before its end', async (...args) => {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  const stderr = text(child.stderr)
  const [status] = await once(child, 'exit')
  expect([status, await stderr]).toEqual([0, ''])
})

test.skipIf(!full).each([
  ['train', '--print-config'],
  ['train', '--help'],
])(
  `output that cannot be written is an error: %s %s${full ? '' : ' (skipped: no /dev/full here)'}`,
  (...args) => {
    const stdio = ['ignore', openSync('/dev/full', 'w'), 'pipe'] as const
    const { status, stderr } = spawnSync(process.execPath, [bin, ...args], {
      stdio: [...stdio],
      encoding: 'utf8',
    })
    expect(status).toBe(1)
    expect(stderr).toMatch(/^error: the output cannot be written: .*ENOSPC/)
    expect(stderr).not.toMatch(/^\s+at /m)
  },
)
