import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyEvalTransform } from '../data/pixels/evalTransform.js'
import { normalizationTable, writeNormalized } from '../data/pixels/normalize.js'
import { preprocessor } from './preprocess.js'

const preprocess = {
  ...({ resize: 20, crop: 16, filter: 'bicubic' } as const),
  ...{ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
} as Parameters<typeof preprocessor>[0]

const sides = fc.record({ width: fc.integer({ min: 1, max: 60 }), height: fc.integer({ min: 1, max: 60 }) })
const images = sides.chain(({ width, height }) => {
  const length = width * height * 4
  return fc.record({
    width: fc.constant(width),
    height: fc.constant(height),
    data: fc.uint8Array({ minLength: length, maxLength: length }),
  })
})

test('pixels are those of data/pixels to the bit, of RGBA without its alpha', () => {
  fc.assert(
    fc.property(images, fc.constantFrom('bilinear' as const, 'bicubic' as const), (rgba, filter) => {
      const { width, height } = rgba
      const rgb = {
        ...{ width, height },
        data: Uint8Array.from(
          { length: 3 * width * height },
          (_, i) => rgba.data[4 * Math.floor(i / 3) + (i % 3)]!,
        ),
      }
      const expected = new Float32Array(3 * 16 * 16)
      const transform = { ...preprocess, filter }
      writeNormalized(applyEvalTransform(rgb, transform), normalizationTable(preprocess), expected, 0)
      const prepare = preprocessor(transform)
      const out = new Float32Array(3 * expected.length)
      prepare.write(rgb, out, 0)
      prepare.write({ ...rgba, data: Uint8ClampedArray.from(rgba.data) }, out, 2)
      const bytes = (from: number) => Buffer.from(out.buffer, 4 * from, 4 * expected.length)
      expect(Buffer.compare(bytes(0), Buffer.from(expected.buffer))).toBe(0)
      expect(Buffer.compare(bytes(2 * expected.length), Buffer.from(expected.buffer))).toBe(0)
      expect(out.subarray(expected.length, 2 * expected.length).every((value) => value === 0)).toBe(true)
    }),
  )
})

test.each([
  [{ data: new Uint8Array(5), width: 1, height: 2 }, 'needs 6 bytes RGB or 8 RGBA, not 5 of Uint8Array'],
  [{ data: new Float32Array(6) as never, width: 1, height: 2 }, 'not 6 of Float32Array'],
  [{ data: new Uint8Array(0), width: 0, height: 2 }, '0 x 2 pixels'],
  [{ data: undefined as never, width: 1, height: 1 }, 'not undefined of undefined'],
])('an image whose numbers do not fit is an error: %#', (image, message) => {
  expect(() => preprocessor(preprocess).write(image, new Float32Array(3 * 256), 0)).toThrow(message)
})
