import { expect, test } from 'vitest'
import { matchClasses } from './matchClasses.js'

test('classes are matched by name: other order, a subset', () => {
  expect(matchClasses(['dog', 'cat'], ['cat', 'dog', 'owl'])).toEqual([1, 0])
  expect(matchClasses(['owl'], ['cat', 'dog', 'owl'])).toEqual([2])
})

test('what the run has not seen is named', () => {
  expect(() => matchClasses(['cat', 'constructor'], ['cat'])).toThrow(
    /^constructor: a class that the run was not trained on$/,
  )
  expect(() => matchClasses(['1', '2', '3', '4', '5', '6', 'cat'], ['cat'])).toThrow(
    /^1, 2, 3, 4, 5 and 1 more: classes that the run was not/,
  )
})
