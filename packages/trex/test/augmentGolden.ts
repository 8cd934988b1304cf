import { fileURLToPath } from 'node:url'
import { openSafetensors, typedArrayOf } from 'trex-torch/safetensors'
import { expect } from 'vitest'
import type { RgbImage } from '../src/data/pixels/image.js'

const reader = openSafetensors(fileURLToPath(new URL('./golden/h_augment.safetensors', import.meta.url)))

/** Names of all tensors that match a pattern. */
export function goldenNames(pattern: RegExp): string[] {
  return [...reader.entries.keys()].filter((name) => pattern.test(name)).sort()
}

/** A golden 8-bit RGB image; a new copy each time. */
export function goldenImage(name: string): RgbImage {
  const { shape, data } = reader.read(name)
  return { data: new Uint8Array(data), width: shape[1]!, height: shape[0]! }
}

/** The elements of a golden tensor. */
export function goldenArray(name: string) {
  return typedArrayOf(reader.read(name))
}

/** A metadata entry, parsed. */
export function goldenMeta<T>(name: string): T {
  return JSON.parse(reader.metadata[name]!) as T
}

/** Asserts that an image equals a golden one in size and in every value. */
export function expectImage(actual: RgbImage, name: string): void {
  const expected = goldenImage(name)
  expect([actual.width, actual.height], name).toEqual([expected.width, expected.height])
  const wrong = actual.data.findIndex((value, i) => value !== expected.data[i])
  const shown = wrong < 0 ? '' : `${name}[${wrong}]: ${actual.data[wrong]}, not ${expected.data[wrong]}`
  expect(shown).toBe('')
}
