import { expect, test } from 'vitest'
import { didYouMean, suggest } from './suggest.js'

test.each([
  ['weight_decay', 'weightDecay'],
  ['Epoch', 'epochs'],
  ['tempreature', 'temperature'],
  ['sede', 'seed'],
  ['lr', undefined],
  ['', undefined],
])('%s means %s', (word, meant) => {
  expect(suggest(word, ['epochs', 'temperature', 'weightDecay', 'seed'])).toBe(meant)
})

test('as a question', () => {
  expect(didYouMean('epoch', ['epochs'])).toBe(' (did you mean "epochs"?)')
  expect(didYouMean('colour', ['epochs'])).toBe('')
})
