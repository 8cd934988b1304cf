import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { TrexError } from '../errors.js'
import { publish } from './publish.js'

const dir = mkdtempSync(join(tmpdir(), 'trex-publish-'))
afterAll(() => rmSync(dir, { recursive: true }))

test('what the system refuses is one error with the name that was given', async () => {
  writeFileSync(join(dir, 'file'), '')
  const below = join(dir, 'file', 'out')
  await expect(publish(below, { force: false }, () => {})).rejects.toThrow(
    `${below} cannot be written: ENOTDIR`,
  )
  const out = join(dir, 'full')
  const full = () => writeFileSync('/dev/full', 'x') // as on a full disk
  const error = await publish(out, { force: false }, full).catch((error) => error)
  expect(error).toBeInstanceOf(TrexError)
  expect(error.message).toContain(`${out} cannot be written: ENOSPC`)
  expect(readdirSync(dir)).toEqual(['file'])
})

test('a program that ends in between leaves nothing', () => {
  const script = `
    const { publish } = await import('${new URL('../../dist/deploy/publish.js', import.meta.url)}')
    const { writeFileSync } = await import('node:fs')
    await publish('half', { force: false }, (folder) => {
      writeFileSync(folder + '/model.onnx', 'half of it')
      process.exit(130)
    })`
  const run = () => execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: dir })
  expect(run).toThrow(expect.objectContaining({ status: 130 }))
  expect(readdirSync(dir)).toEqual(['file'])
})
