import { beforeAll, expect, test } from 'vitest'
import { ensureDist, runScript } from './support/child.js'

beforeAll(ensureDist)

test('shared, moved and collected memory lives as long as it is needed', () => {
  const { status, signal, lines, stderr } = runScript('test/memory/shared.mjs', { flags: ['--expose-gc'] })
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' })
  const { peakMiB, ...result } = JSON.parse(lines.at(-1)!)
  expect(result).toEqual({
    shared: { intact: true, heldWhileAlive: true, heldByView: true, released: true },
    moved: true,
    collected: { grown: 200, left: 0 },
  })
  expect(peakMiB).toBeLessThan(2400) // half of what 300 tensors of 16 MiB would take
})

test('training holds a constant number of tensors and does not grow', () => {
  const { status, lines } = runScript('../../scripts/soakMemory.mjs', { args: ['200'] })
  expect(lines.join('\n')).toMatch(/live tensors: constant/)
  expect(status).toBe(0)
})
