import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { results, setResult } from '../../test/support/transferResults.js'
import { trex } from '../../test/support/trex.js'
import { writeResults } from '../suite/results.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-compare-'))
afterAll(() => rmSync(dir, { recursive: true }))
writeResults(join(dir, 'results.json'), results([setResult('dtd', [70, 72])], 'weak'))
const other = join(dir, 'strong.json')
writeResults(other, results([setResult('dtd', [75, 73])], 'strong'))

describe('trex compare', () => {
  test('takes folders and files, and says who is better where', async () => {
    const { status, stdout } = await trex(['compare', dir, other])
    expect(status).toBe(0)
    expect(stdout).toContain('dtd        71.00   74.00  +3.00 ± 2.83')
    expect(stdout).toContain('strong against weak: better on 1, equal on 0, worse on 0\n')
  })

  test('--json', async () => {
    const { stdout } = await trex(['compare', dir, other, '--json'])
    expect(JSON.parse(stdout)).toMatchObject([{ models: ['weak', 'strong'], wins: [1, 0, 0] }])
  })

  test.each([
    ['nothing.json', /there is no .*nothing\.json\nhint: .*`trex transfer` writes/],
    ['broken.json', /broken\.json is not a results\.json of trex transfer: .*format/s],
  ])('%s is an error', async (name, message) => {
    const path = join(dir, name)
    if (name.startsWith('broken')) writeFileSync(path, '{"format": 1}')
    const { status, stderr } = await trex(['compare', dir, path])
    expect(status).toBe(1)
    expect(stderr).toMatch(message)
  })
})
