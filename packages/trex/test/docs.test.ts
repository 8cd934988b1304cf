import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeImages, trex } from './support/trex.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const text = readFileSync(join(root, 'docs/data.md'), 'utf8')
const blocks = (language: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1]!)
const commands = blocks('sh').flatMap((block) => block.trim().split('\n'))

const dir = mkdtempSync(join(tmpdir(), 'trex-docs-'))
beforeAll(async () => {
  await makeImages(join(dir, 'photos'), { classes: 3, perClass: 8 })
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** The words of a command as a shell splits them: quotes hold words together. */
const words = (line: string) => [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2]!)

describe('docs/data.md', () => {
  test('has commands', () => expect(commands.length).toBeGreaterThanOrEqual(6))

  test.each(commands)('%s', async (line) => {
    const [, program, ...args] = words(line.replace(/ > \S+$/, ''))
    expect(program).toBe('trex')
    const { status, stderr } = await trex(args, { cwd: dir })
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
    const out = args[args.indexOf('--out') + 1]
    if (args.includes('--out')) expect(existsSync(join(dir, out!))).toBe(true)
  })

  test('its program prints what a batch holds', async () => {
    const [program] = blocks('js')
    const { stdout } = await promisify(execFile)('node', ['--input-type=module', '-e', program!], {
      cwd: dir,
    })
    const [first, ...rest] = stdout.trim().split('\n')
    expect(first).toBe(`[ ${4 * 3 * 32 * 32}, ${8 * 4 * 3 * 16 * 16} ] 4`)
    expect(rest).toHaveLength(4) // 21 images
  })
})
