import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { placeOf } from './dataPlace.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-place-'))
afterAll(() => rmSync(dir, { recursive: true }))

test('DATA is found from any folder', () => {
  const here = process.cwd()
  expect(placeOf('package.json')).toBe(join(here, 'package.json'))
  expect(placeOf('wds:package.json')).toBe(`wds:${join(here, 'package.json')}`)
  expect(placeOf('wds:s/t-{0..9}.tar,s/v-*.tar')).toBe(`wds:${here}/s/t-{0..9}.tar,${here}/s/v-*.tar`)
  expect(placeOf('s/*.tar')).toBe(`${here}/s/*.tar`)
  expect(placeOf('wds:https://host/{a,b}.tar?x=1')).toBe('wds:https://host/{a,b}.tar?x=1')
  const odd = join(dir, 'a, b.tar')
  writeFileSync(odd, '')
  expect(placeOf(`wds:${odd}`)).toBe(`wds:${odd}`)
})
