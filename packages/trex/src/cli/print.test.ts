import { spawnSync } from 'node:child_process'
import { existsSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const bin = fileURLToPath(new URL('../../bin/trex.cjs', import.meta.url))
const full = existsSync('/dev/full')

test.skipIf(!full)(
  `output that cannot be written is an error${full ? '' : ' (skipped: no /dev/full here)'}`,
  () => {
    const stdio = ['ignore', openSync('/dev/full', 'w'), 'pipe'] as const
    const { status, stderr } = spawnSync(process.execPath, [bin, 'train', '--print-config'], {
      stdio: [...stdio],
      encoding: 'utf8',
    })
    expect(status).toBe(1)
    expect(stderr).toMatch(/^error: the output cannot be written: .*ENOSPC/)
    expect(stderr).not.toMatch(/^\s+at /m)
  },
)
