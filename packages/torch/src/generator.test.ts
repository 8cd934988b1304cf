import { describe, expect, test } from 'vitest'
import { codeOf, expectClose, values } from '../test/support/values.js'
import { rand, randn, randperm, zeros } from './create.js'
import { Generator, manualSeed } from './generator.js'
import { tidy } from './tidy.js'

describe('seeds', () => {
  // What Python's torch.manual_seed(0) is followed by.
  test('manualSeed gives the numbers of PyTorch', () => {
    manualSeed(0)
    expectClose(
      randn([4]),
      [1.5409960746765137, -0.293428897857666, -2.1787893772125244, 0.5684312582015991],
      0,
    )
    manualSeed(0)
    expectClose(
      rand([4]),
      [0.49625658988952637, 0.7682217955589294, 0.08847743272781372, 0.13203048706054688],
      0,
    )
    manualSeed(0)
    expect(values(randn([20])).slice(0, 3)).toEqual([
      -1.1258398294448853, -1.152360200881958, -0.2505785822868347,
    ])
  })

  test('a generator of one seed draws the numbers of PyTorch, apart from the default one', () => {
    manualSeed(3)
    const expected = values(randn([4]))
    manualSeed(3)
    const generator = new Generator(7)
    const drawn = [-0.1467950940132141, 0.7861412763595581, 0.9468216300010681, -1.1143440008163452]
    expectClose(randn([4], { generator }), drawn, 0)
    expect(values(randn([4]))).toEqual(expected)
    expectClose(zeros([4]).normal_(0, 1, generator.seed(7)), drawn, 0)
    expect(values(randn([4], { generator: new Generator(2n ** 40n + 5n) }))).toEqual(
      values(randn([4], { generator: new Generator(2 ** 40 + 5) })),
    )
  })

  test('dropout and the like follow the default generator', () => {
    manualSeed(11)
    const first = values(randperm(100))
    manualSeed(11)
    expect(values(randperm(100))).toEqual(first)
    expect(values(randperm(100))).not.toEqual(first)
  })
})

describe('state', () => {
  test.each(['own', 'default'])('%s generator goes on where its state was saved', (kind) => {
    const generator = kind === 'own' ? new Generator(5) : Generator.of('cpu')
    randn([3], { generator }) // an odd number of normals: half a pair is cached in the state
    const state = generator.state()
    const expected = [values(randn([7], { generator })), values(rand([5], { generator }))]
    rand([100], { generator })
    generator.setState(state)
    expect([values(randn([7], { generator })), values(rand([5], { generator }))]).toEqual(expected)
    const other = new Generator(0)
    other.setState(state)
    expect(values(randn([7], { generator: other }))).toEqual(expected[0])
    expect(Buffer.from(state).equals(Buffer.from(generator.state()))).toBe(false)
  })

  test('bytes that are no state are refused and change nothing', () => {
    const generator = new Generator(5)
    const before = generator.state()
    expect(codeOf(() => generator.setState(new Uint8Array(10)))).toBe('ERR_TORCH')
    expect(codeOf(() => generator.setState(new Uint8Array(before.length)))).toBe('ERR_ARGUMENT')
    expect(codeOf(() => generator.setState(new Uint8Array(0)))).toBe('ERR_TORCH')
    expect(Buffer.from(generator.state()).equals(Buffer.from(before))).toBe(true)
  })

  test.each([
    [624, 624n],
    [624, 2n],
    [2, 624n],
    [1, 625n],
    [300, 2n ** 32n],
    [0, 0n],
    [-1, 0n],
    [625, 0n],
  ])('%d words left and the next one at %d would be read out of bounds', (left, next) => {
    const generator = new Generator(5)
    const state = generator.state()
    const view = new DataView(state.buffer)
    view.setInt32(8, left, true)
    view.setBigUint64(16, next, true)
    expect(codeOf(() => generator.setState(state))).toBe('ERR_ARGUMENT')
    expectClose(randn([4], { generator }), values(randn([4], { generator: new Generator(5) })), 0)
  })

  test('states at every place in the 624 words are taken back', () => {
    const generator = new Generator(5)
    const other = new Generator(0)
    for (let i = 0; i < 1300; i++) {
      other.setState(generator.state())
      tidy(() => expect(rand([1], { generator }).item()).toBe(rand([1], { generator: other }).item()))
    }
  })

  test('dispose ends it', () => {
    const generator = new Generator(1)
    {
      using scoped = generator
      scoped.seed(2)
    }
    generator.dispose()
    expect(codeOf(() => generator.state())).toMatch(/ERR_DISPOSED/)
    expect(codeOf(() => randn([1], { generator }))).toBe('ERR_DISPOSED')
    Generator.of('cpu').dispose() // a handle of it: the generator itself stays
    expect(randn([3]).numel).toBe(3)
  })

  test('a generator is no tensor', () => {
    const generator = new Generator(1)
    expect(codeOf(() => zeros([2]).add(generator as never))).toBe('ERR_DISPOSED')
    expect(codeOf(() => zeros([2]).normal_(0, 1, zeros([1]) as never))).toBe('ERR_DISPOSED')
  })

  test('seeds must be integers', () => {
    expect(codeOf(() => manualSeed(0.5))).toBe('ERR_ARGUMENT')
    expect(codeOf(() => new Generator(2n ** 80n))).toBe('ERR_ARGUMENT')
    expect(codeOf(() => new Generator('1' as never))).toBe('ERR_ARGUMENT')
  })
})
