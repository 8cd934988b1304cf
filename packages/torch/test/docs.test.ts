import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { ensureDist, runScript } from './support/child.js'

beforeAll(ensureDist)

const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const example = read('../examples/digits.mjs')

/** The ```js blocks of a Markdown text. */
const blocksOf = (markdown: string) =>
  [...markdown.matchAll(/^```js\n(.*?)^```$/gms)].map((match) => match[1]!)

describe('the example', () => {
  test('learns the digits', () => {
    const { status, lines, stderr } = runScript('examples/digits.mjs')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(lines).toHaveLength(4)
    expect(Number(/(\d+\.\d) %/.exec(lines.at(-1)!)![1])).toBeGreaterThan(88)
  })

  test('is as short as docs/torch.md says', () => {
    expect(example.split('\n').filter((line) => line.trim()).length).toBeLessThanOrEqual(30)
  })

  test('is the one in the README', () => {
    expect(blocksOf(read('../README.md'))).toEqual([example])
  })
})

describe('docs/torch.md', () => {
  const blocks = blocksOf(read('../../../docs/torch.md'))

  test('has blocks', () => expect(blocks.length).toBeGreaterThanOrEqual(4))

  test.each(blocks.map((block, i) => [i + 1, block] as const))(
    'block %d prints what it says',
    (_i, block) => {
      const said = [...block.matchAll(/^console\.log\(.*\) \/\/ (.*)$/gm)].map((match) => match[1])
      const child = spawnSync(process.execPath, ['--input-type=module', '-e', block], {
        cwd: root,
        encoding: 'utf8',
      })
      expect(child.stderr).toBe('')
      expect(child.stdout.trimEnd().split('\n')).toEqual(said)
      expect(said.length).toBeGreaterThan(0)
    },
  )
})
