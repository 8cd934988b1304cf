import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Location, Sample } from '../data/sources/sample.js'
import { dataFingerprint, type FeatureIdentity, identityChanges, identityKey } from './identity.js'

const folder = mkdtempSync(join(tmpdir(), 'trex-identity-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('files: names, labels, classes, sizes and times count, the place of the data does not', () => {
  const root = join(folder, 'a')
  mkdirSync(join(root, 'cat'), { recursive: true })
  const samples = (root: string): Sample[] =>
    ['1.jpg', '2.jpg'].map((name, label) => ({ path: join(root, 'cat', name), label }))
  for (const { path } of samples(root)) {
    writeFileSync(path, 'pixels')
    utimesSync(path, 1e9, 1e9) // whole seconds: not every way to copy keeps parts of them
  }
  const classes = ['cat', 'dog']
  const of = (list = samples(root)) => dataFingerprint(root, list, classes)
  const first = of()
  expect(of()).toBe(first)
  cpSync(root, join(folder, 'b'), { recursive: true, preserveTimestamps: true })
  expect(dataFingerprint(join(folder, 'b'), samples(join(folder, 'b')), classes)).toBe(first)

  expect(of([...samples(root)].reverse())).not.toBe(first)
  expect(of(samples(root).map((sample) => ({ ...sample, label: 0 })))).not.toBe(first)
  expect(dataFingerprint(root, samples(root), ['cat', 'fox'])).not.toBe(first)
  const [{ path }] = samples(root) as [Sample, Sample]
  const { atime, mtime } = statSync(path)
  writeFileSync(path, 'longer pixels')
  utimesSync(path, atime, mtime)
  const longer = of()
  expect(longer).not.toBe(first)
  utimesSync(path, atime, new Date(mtime.getTime() + 1000))
  expect(of()).not.toBe(longer)
  rmSync(path)
  expect(of()).not.toBe(longer) // missing: the extraction will say so
})

test('images in archives, on servers and in memory', () => {
  const tar = join(folder, 'x.tar')
  writeFileSync(tar, 'archive')
  const memory = new SharedArrayBuffer(24)
  const places: Location[] = [
    { kind: 'slice', path: tar, offset: 0, length: 3 },
    { kind: 'slice', path: tar, offset: 1, length: 3 },
    { kind: 'remote', url: 'https://example.org/x.tar', offset: 0, length: 3 },
    { kind: 'remote', url: 'https://example.org/y.tar', offset: 0, length: 3 },
    { kind: 'pixels', memory, offset: 0, width: 2, height: 2, channels: 3 },
    { kind: 'pixels', memory, offset: 0, width: 4, height: 1, channels: 3 },
  ]
  const of = (at: Location) =>
    dataFingerprint(folder, [{ path: join(tar, 'cat/1.jpg'), label: 0, at }], ['cat'])
  const all = places.map(of)
  expect(new Set(all).size).toBe(places.length)
  new Uint8Array(memory)[11] = 1
  expect(of(places[4]!)).not.toBe(all[4])
  utimesSync(tar, 1, 1)
  expect(of(places[0]!)).not.toBe(all[0])
})

test('an identity is its values, whatever their order', () => {
  const transform = {
    ...{ resize: 224, crop: 224, filter: 'bicubic', autoOrient: false },
    ...{ mean: [0.5, 0.5, 0.5], std: [1, 1, 1] },
  } as FeatureIdentity['transform']
  const identity: FeatureIdentity = {
    model: 'a'.repeat(64),
    data: 'b'.repeat(64),
    transform,
    precision: 'fp32',
  }
  const { model, ...rest } = identity
  expect(identityKey({ ...rest, model })).toBe(identityKey(identity))
  const other = { ...identity, transform: { ...transform, crop: 192 }, precision: 'bf16' } as const
  expect(identityKey(other)).not.toBe(identityKey(identity))
  expect(identityChanges(identity, other)).toEqual(['transform', 'precision'])
})
