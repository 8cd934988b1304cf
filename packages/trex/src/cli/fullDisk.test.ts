import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeImages, TINY, trex } from '../../test/support/trex.js'
import { loadCheckpoint } from '../train/checkpoint.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-disk-'))
const disk = join(dir, 'disk')
mkdirSync(disk)
const mount = (options: string) =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk]).status === 0
const unmount = () => spawnSync('umount', [disk])
const possible = process.platform === 'linux' && process.getuid?.() === 0 && mount('size=1m')
if (possible) unmount()
const why = possible ? '' : ' (skipped: a small disk can only be mounted as root on Linux)'

beforeAll(() => makeImages(join(dir, 'images')))
afterAll(() => {
  if (possible) unmount()
  rmSync(dir, { recursive: true, force: true })
})

const run = join(disk, 'run')
const train = (...flags: string[]) => trex(['train', join(dir, 'images'), ...TINY, '--out', run, ...flags])

test.skipIf(!possible)(`a disk full at the start leaves nothing${why}`, async () => {
  mount('size=4k')
  try {
    const { status, stderr } = await train()
    expect(status).toBe(1)
    expect(stderr).toMatch(
      /error: the run folder .*run cannot be written: ENOSPC.*\nhint: free some space or choose/,
    )
    expect(readdirSync(disk)).toEqual([])
  } finally {
    unmount()
  }
})

test.skipIf(!possible)(
  `a disk full at a checkpoint: the one before is whole, and resumed${why}`,
  async () => {
    mount('size=20m') // a checkpoint is 86 MiB
    try {
      const checkpoint = join(run, 'checkpoints/last.safetensors')
      const first = await train('--epochs', '2')
      expect(first.status).toBe(1)
      expect(first.stderr).toMatch(
        /error: Cannot write checkpoint .*best\.safetensors: ENOSPC.*\nhint: Free space/,
      )
      expect(readdirSync(join(run, 'checkpoints'))).toEqual([])

      mount('remount,size=120m')
      const second = await trex(['train', '--resume', run])
      expect(second.status).toBe(1)
      expect(second.stderr).toContain('The last complete checkpoint is unharmed.')
      expect(readdirSync(join(run, 'checkpoints')).sort()).toEqual(['best.safetensors', 'last.safetensors'])
      const { tensors, state } = loadCheckpoint(checkpoint)
      tensors.close()
      expect(state).toMatchObject({ position: { epoch: 1 } })

      mount('remount,size=250m')
      const third = await trex(['train', '--resume', run])
      expect(third.status).toBe(0)
      expect(existsSync(checkpoint)).toBe(true)
    } finally {
      unmount()
    }
  },
)
