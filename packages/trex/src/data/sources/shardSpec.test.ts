import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { showUrl, splitCredentials } from './httpUrl.js'
import { expandBraces } from './shardBraces.js'
import { findShards } from './shardSpec.js'

// Expected values are what bash prints for `echo`.
test.each<[string, string]>([
  ['a.tar', 'a.tar'],
  ['s-{000..003}.tar', 's-000.tar s-001.tar s-002.tar s-003.tar'],
  ['{8..11}', '8 9 10 11'],
  ['{08..11}', '08 09 10 11'],
  ['{3..1}', '3 2 1'],
  ['{0..10..5}', '0 5 10'],
  ['{a,b}{1,2}', 'a1 a2 b1 b2'],
  ['{a,b{1..2},{x,y}z}.tar', 'a.tar b1.tar b2.tar xz.tar yz.tar'],
  ['{a}{}', '{a}{}'],
  ['{a,}x', 'ax x'],
])('%s', (pattern, expected) => {
  expect(expandBraces(pattern)).toEqual(expected.split(' '))
})

test('braces that are not closed, and too many shards', () => {
  expect(() => expandBraces('a{1..2')).toThrow(/a\{1\.\.2 has a '\{' that is not closed/)
  for (const many of ['{0..999999999}', '{0..999}{0..999}', '{{0..999},a}{0..999}'])
    expect(() => expandBraces(many)).toThrow(/more than 100,000 shards/)
})

describe('findShards', () => {
  let root: string
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'trex-spec-'))
    for (const name of [
      't-0.tar',
      't-1.tar',
      't-10.tar',
      'T-2.tar',
      '.t-3.tar',
      'a b,c.tar',
      'd1/x.tar',
      'd2/x.tar',
      'd3/y.tar',
      'w[1].tar',
    ]) {
      await mkdir(dirname(join(root, name)), { recursive: true })
      await writeFile(join(root, name), '')
    }
  })
  afterEach(() => rm(root, { recursive: true }))

  test.each<[string, string[]]>([
    ['*.tar', ['T-2.tar', 'a b,c.tar', 't-0.tar', 't-1.tar', 't-10.tar', 'w[1].tar']],
    ['t-?.tar', ['t-0.tar', 't-1.tar']],
    ['[tT]-[!0].tar', ['T-2.tar', 't-1.tar']],
    ['[a-z]-[0-1]*.tar', ['t-0.tar', 't-1.tar', 't-10.tar']],
    ['.t*', ['.t-3.tar']],
    ['d*/x.tar', ['d1/x.tar', 'd2/x.tar']],
    ['d?/*', ['d1/x.tar', 'd2/x.tar', 'd3/y.tar']],
    ['w[1].tar', ['w[1].tar']],
    ['a b,c.tar', ['a b,c.tar']],
    ['{d1,d2}/*.tar', ['d1/x.tar', 'd2/x.tar']],
  ])('%s', async (pattern, expected) => {
    const { kind, shards } = await findShards(`wds:${root}/${pattern}`)
    expect(kind).toBe('files')
    expect(shards).toEqual(expected.map((name) => join(root, name)))
  })
  test('commas, spaces and lists', async () => {
    const { shards } = await findShards(`wds:${root}/t-1.tar,${root}/d{1,2}/x.tar ${root}/t-0.tar`)
    expect(shards).toEqual(['t-1.tar', 'd1/x.tar', 'd2/x.tar', 't-0.tar'].map((name) => join(root, name)))
  })
  test('addresses', async () => {
    const { kind, shards } = await findShards('wds:https://u:p@host/a-{0..1}.tar?k=v,http://h2:81/[b].tar')
    expect(kind).toBe('urls')
    expect(shards).toEqual([
      'https://u:p@host/a-0.tar?k=v',
      'https://u:p@host/a-1.tar?k=v',
      'http://h2:81/[b].tar',
    ])
  })
  test.each<[string, RegExp]>([
    ['', /no shards are named/],
    ['/nowhere/*.tar', /no file matches \/nowhere\/\*\.tar/],
    ['a.tar a.tar', /the shard a\.tar is named twice/],
    ['http://u:secret@h/a.tar,b.tar', /cannot be mixed/],
    ['s3://bucket/a.tar', /s3:\/\/bucket\/a\.tar is of a kind that is not read: s3:/],
    ['pipe:cat', /not read: pipe:/],
    ['http://h/*.tar', /http:\/\/h\/\*\.tar: a server cannot be asked which files match/],
    ['http://u:secret@:x/a.tar', /^http:\/\/\.\.\.@:x\/a\.tar is no address/],
  ])('refuses %s', async (spec, message) => {
    await expect(findShards(spec)).rejects.toThrow(message)
    await expect(findShards(spec)).rejects.not.toThrow(/secret/)
  })
})

test('addresses are shown without what is secret, and sent with it', () => {
  expect(showUrl('https://user:secret@host:8443/a b/x.tar?X-Signature=secret#f')).toBe(
    'https://host:8443/a%20b/x.tar?...',
  )
  expect(showUrl('/some/user:pw@path')).toBe('/some/user:pw@path')
  expect(splitCredentials('http://us%20er:p%40ss@host/x')).toEqual({
    url: 'http://host/x',
    headers: { authorization: `Basic ${btoa('us er:p@ss')}` },
  })
})
