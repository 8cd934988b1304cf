import { type Case, type Outcome, raw, type Traps } from './hostileModel.js'

/** Settings that are refused. */
const wrong = (error: RegExp): Outcome => ({ inspect: 'any', imported: error })
const fine: Outcome = { inspect: 'any', imported: 'reads' }
const unread = wrong(/^Cannot use settings file/)
const unknown = wrong(/no such setting/)
const yaml = (text: string) => () => raw(Buffer.from(text))
/** Lists of ten times the one before. */
const laughs = (levels: number) =>
  [
    'a: &a ["lol"]',
    ...Array.from({ length: levels }, (_, i) => {
      const [before, name] = [String.fromCharCode(97 + i), String.fromCharCode(98 + i)]
      return `${name}: &${name} [${Array(10).fill(`*${before}`)}]`
    }),
  ].join('\n')
const MB = 1 << 20

export const config = ({ marker, port }: Traps): Case[] => [
  ['a wish', yaml('optimizer: { lr: 0.2 }'), fine],
  ['nothing', yaml(''), fine],
  ['JSON', yaml('{"optimizer": {"lr": 0.3}}'), fine],
  ['a billion laughs', yaml(laughs(12)), unread],
  ['laughs that are few', yaml(laughs(1)), unknown],
  ['an alias that holds itself', yaml('a: &a { b: *a }'), unread],
  ['a list that holds itself', yaml('a: &a [*a]'), unread],
  ['an alias of nothing', yaml('a: *b'), unread],
  ['a merge that holds itself', yaml('a: &a\n  <<: *a'), wrong(/./)],
  ['os.system of PyYAML', yaml(`a: !!python/object/apply:os.system ["touch ${marker}"]`), wrong(/./)],
  [
    'a function of js-yaml',
    yaml(`a: !!js/function "function(){require('fs').writeFileSync('${marker}','')}"`),
    wrong(/./),
  ],
  ['a document of a server', yaml(`%TAG ! http://127.0.0.1:${port}/\n---\na: !x 1`), wrong(/./)],
  ['a tag as the root', yaml('!!python/name:os.system'), unread],
  ['__proto__', yaml('__proto__: { epochs: 3 }'), unknown],
  ['__proto__ further in', yaml('optimizer: { __proto__: { lr: 9 } }'), unknown],
  ['constructor.prototype', yaml('constructor: { prototype: { polluted: true } }'), unknown],
  ['toString', yaml('toString: 1'), unknown],
  ['__proto__ as JSON', yaml('{"__proto__": {"polluted": 1}, "optimizer": {"constructor": 1}}'), unknown],
  ['a key twice', yaml('epochs: 1\nepochs: 2'), unread],
  ['a key that is a list', yaml('? [a]\n: 1'), wrong(/./)],
  ['a list as the root', yaml('- 1\n- 2'), unread],
  ['a text as the root', yaml('hello'), unread],
  ['two documents', yaml('a: 1\n---\nb: 2'), unread],
  ['tabs', yaml('a:\n\t- b'), unread],
  ['brackets that stay open', yaml('a: ['), unread],
  ['30,000 brackets', yaml(`a: ${'['.repeat(30_000)}`), unread],
  ['nested groups', yaml(`a: ${'{a: '.repeat(4000)}1${'}'.repeat(4000)}`), wrong(/./)],
  ['a megabyte', yaml(`# ${'x'.repeat(MB)}\nepochs: 3`), unread],
  ['100,000 keys', yaml(Array.from({ length: 100_000 }, (_, i) => `k${i}: 1`).join('\n')), unread],
  ['3,000 keys', yaml(Array.from({ length: 3000 }, (_, i) => `k${i}: 1`).join('\n')), unknown],
  ['a key of 1,000 letters', yaml(`${'k'.repeat(1000)}: 1`), unknown],
  ['bytes that are not UTF-8', () => raw('epochs: \xff\xfe'), wrong(/epochs/)],
  ['zero bytes', () => Buffer.alloc(1000), wrong(/./)],
  ['an epoch that is NaN', yaml('epochs: .nan'), wrong(/epochs = NaN/)],
  ['infinite epochs', yaml('epochs: .inf'), wrong(/epochs = Infinity/)],
  ['negative epochs', yaml('epochs: -1'), wrong(/epochs = -1/)],
  ['epochs of 400 digits', yaml(`epochs: ${'9'.repeat(400)}`), wrong(/epochs = Infinity/)],
  ['a recipe that climbs', yaml('recipe: ../../etc/passwd'), wrong(/There is no recipe/)],
  ['a recipe __proto__', yaml('recipe: __proto__'), wrong(/There is no recipe/)],
  ['groups where numbers are', yaml('epochs: { a: 1 }\noptimizer: 3\nglobalCrops: [1]'), wrong(/./)],
]
