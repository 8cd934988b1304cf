import { expect, test } from 'vitest'
import { sparkline } from './sparkline.js'

test.each([
  [[], 8, ''],
  [[3], 8, '▁'],
  [[5, 5, 5], 8, '▁▁▁'],
  [[0, 1, 2, 3, 4, 5, 6, 7], 8, '▁▂▃▄▅▆▇█'],
  [[10, 12, 20], 8, '▁▂█'],
  [[0, 2, 7, 9], 2, '▁█'], // means 1 and 8
  [[0, 0, 0, 0, 7], 2, '▁█'],
])('%j in %i columns is %j', (values, width, line) => expect(sparkline(values, width)).toBe(line))
