import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { resolveSettings, type SettingsSources, settingsYaml } from './config.js'
import { TrexError } from './errors.js'
import { encoderNames } from './method/encoder.js'
import { RECIPES } from './recipes.js'
import { cropGroups, ENCODERS } from './settings.js'

const folder = mkdtempSync(join(tmpdir(), 'config-'))
afterAll(() => rmSync(folder, { recursive: true }))

function configFile(text: string): string {
  const path = join(folder, 'config.yaml')
  writeFileSync(path, text)
  return path
}

/** The lines of the error that these sources give. */
function problems(sources: SettingsSources): string[] {
  try {
    resolveSettings(sources)
  } catch (error) {
    expect(error).toBeInstanceOf(TrexError)
    return (error as TrexError).message.split('\n').map((line) => line.trim())
  }
  throw new Error('no error')
}

test('every encoder there is can be named in the settings', () => {
  expect(ENCODERS).toEqual(encoderNames)
})

describe('recipes', () => {
  test.each([
    // as published (Sariyildiz et al. 2023)
    ['trex', 3, true, [0.25, 1], [0.05, 0.25]],
    ['trex-star', 1, true, [0.4, 1], [0.05, 0.4]],
    ['trex-plain-3', 3, false, [0.25, 1], [0.05, 0.25]],
    ['trex-plain-1', 1, false, [0.4, 1], [0.05, 0.4]],
  ])('%s has the published settings', (recipe, layers, means, globalScale, localScale) => {
    const settings = resolveSettings({ recipe })
    expect(settings.recipe).toBe(recipe)
    expect(settings.projector).toEqual({ layers, hidden: 2048, bottleneck: 256, l2Input: true })
    expect(settings.onlineClassMeans).toEqual(means ? { size: 8192, emaMomentum: 0.999 } : null)
    expect(settings.temperature).toBe(0.1)
    expect([settings.epochs, settings.batchSize, settings.seed]).toEqual([100, 256, 22])
    expect(settings.optimizer).toMatchObject({
      name: 'sgd',
      lr: 0.1,
      sgdMomentum: 0.9,
      weightDecay: 1e-4,
      weightDecayEnd: null,
      clipNorm: null,
      minLr: 1e-6,
      warmupEpochs: 10,
    })
    const color = { jitterP: 0.8, brightness: 0.4, contrast: 0.4, saturation: 0.2, hue: 0.1, grayP: 0.2 }
    const exact = { solarizeThreshold: 128, filter: 'bicubic' }
    const common = { ...color, ...exact, ratio: [3 / 4, 4 / 3], flipP: 0.5, blurSigma: [0.1, 2] }
    expect(cropGroups(settings)).toEqual([
      { ...common, count: 1, size: 224, scale: globalScale, blurP: 0.2, solarizeP: 0.2 },
      { ...common, count: 8, size: 96, scale: localScale, blurP: 0.5, solarizeP: 0 },
    ])
  })

  test('crops may have an augmentation of their own, and be of more than two groups', () => {
    const settings = resolveSettings({
      sets: ['localCrops.jitterP=0', 'extraCrops=[{ count: 2, size: 160, scale: [0.1, 0.5], hue: 0.2 }]'],
    })
    const [global, local, extra] = cropGroups(settings)
    expect([global!.jitterP, local!.jitterP, extra!.jitterP]).toEqual([0.8, 0, 0.8])
    expect(extra).toEqual({
      ...settings.augment,
      ...{ count: 2, size: 160, scale: [0.1, 0.5], hue: 0.2, blurP: 0, solarizeP: 0 },
    })
    const wrong = () => resolveSettings({ sets: ['extraCrops=[{ count: 2, size: 160, scal: [0.1, 0.5] }]'] })
    expect(wrong).toThrow(/extraCrops\.0\.scale.*\n.*extraCrops\.0 = .*Unrecognized key: "scal"/)
    expect(() => resolveSettings({ sets: ['localCrops.jiterP=0'] })).toThrow(
      /did you mean "localCrops\.jitterP"/,
    )
  })

  test('supervised is one crop, no projector, no memory, plain softmax', () => {
    const settings = resolveSettings({ recipe: 'supervised' })
    expect(cropGroups(settings).map(({ count }) => count)).toEqual([1])
    expect([settings.projector, settings.onlineClassMeans, settings.temperature]).toEqual([null, null, 0])
  })

  test('trex is the default; an unknown name is an error with a suggestion', () => {
    expect(resolveSettings()).toEqual(RECIPES.get('trex'))
    expect(problems({ recipe: 'trexstar' })).toEqual([
      'There is no recipe "trexstar" (did you mean "trex-star"?).',
    ])
    expect(problems({ recipe: '__proto__' })).toEqual(['There is no recipe "__proto__".'])
  })
})

describe('precedence', () => {
  test('recipe < file < flags < sets', () => {
    const file = configFile(
      'recipe: trex-star\nepochs: 50\noptimizer: { lr: 0.2, weightDecay: 5e-5 }\nseed: 1\n',
    )
    const settings = resolveSettings({
      configFile: file,
      flags: { epochs: 60, seed: undefined, optimizer: { lr: 0.3 } },
      sets: ['optimizer.lr=0.4', 'optimizer.lr=0.5', 'localCrops.scale=[0.1, 0.2]'],
    })
    expect(settings).toEqual({
      ...RECIPES.get('trex-star'),
      epochs: 60,
      seed: 1,
      optimizer: { ...RECIPES.get('trex')!.optimizer, lr: 0.5, weightDecay: 5e-5 },
      localCrops: { ...RECIPES.get('trex-star')!.localCrops, scale: [0.1, 0.2] },
    })
    expect(resolveSettings({ configFile: file, recipe: 'trex-plain-1' }).onlineClassMeans).toBe(null)
  })

  test('null leaves a group out; a part of a group that the recipe leaves out starts from trex', () => {
    expect(resolveSettings({ sets: ['localCrops=null'] }).localCrops).toBe(null)
    const { projector } = resolveSettings({ recipe: 'supervised', sets: ['projector.layers=1'] })
    expect(projector).toEqual({ layers: 1, hidden: 2048, bottleneck: 256, l2Input: true })
  })

  test.each(['resnet18', 'vit_tiny'] as const)(
    'a group that is given anew has the sizes of the images and of %s',
    (encoder) => {
      const sets = ['imageSize=32', 'localCrops.count=4']
      const { localCrops } = resolveSettings({ recipe: 'supervised', flags: { encoder }, sets })
      const trex = resolveSettings({ flags: { encoder }, sets })
      expect(localCrops).toEqual(trex.localCrops)
      expect(localCrops).toMatchObject({ count: 4, size: 16 })
    },
  )

  test('resolving changes no recipe', () => {
    const before = JSON.stringify([...RECIPES])
    resolveSettings({ sets: ['optimizer.lr=9', 'imageSize=32'] })
    expect(JSON.stringify([...RECIPES])).toBe(before)
  })

  test.each([[['imageSize=64']], [['recipe=supervised', 'seed=7']]])(
    '%j comes back from its YAML',
    (sets) => {
      const settings = resolveSettings({ sets })
      expect(resolveSettings({ configFile: configFile(settingsYaml(settings)) })).toEqual(settings)
    },
  )
})

describe('image size', () => {
  test.each([
    [32, 'small', 16, 32, 0.2857],
    [64, 'small', 24, 64, 0.5714],
    [128, 'imagenet', 56, 146, 1.1429],
    [224, 'imagenet', 96, 256, 2],
  ])('%i px', (imageSize, stem, local, resize, blur) => {
    const settings = resolveSettings({ flags: { imageSize } })
    expect(cropGroups(settings).map(({ size }) => size)).toEqual([imageSize, local])
    expect([settings.stem, settings.validation.resize, settings.validation.crop]).toEqual([
      stem,
      resize,
      imageSize,
    ])
    expect(settings.augment.blurSigma[1]).toBeCloseTo(blur, 4)
  })

  test('what is given wins over what follows from the image size', () => {
    const settings = resolveSettings({
      flags: { imageSize: 32, stem: 'imagenet' },
      sets: ['localCrops.size=12'],
    })
    expect(settings.stem).toBe('imagenet')
    expect(cropGroups(settings).map(({ size }) => size)).toEqual([32, 12])
  })
})

describe('encoder', () => {
  const adamw = {
    ...{ name: 'adamw', lr: 5e-4, betas: [0.9, 0.999], weightDecay: 0.04, weightDecayEnd: 0.4 },
    ...{ clipNorm: 3, minLr: 1e-6, warmupEpochs: 10, sgdMomentum: 0.9 },
  }

  test('a vision transformer starts with AdamW as DINO has it, a ResNet with SGD', () => {
    const settings = resolveSettings({ flags: { encoder: 'vit_small' } })
    expect(settings.optimizer).toEqual(adamw)
    expect(settings.vit).toEqual({ patchSize: 16, pooling: 'class', dropPath: 0 })
    expect(resolveSettings({ flags: { encoder: 'resnet18' } }).optimizer).toEqual(
      RECIPES.get('trex')!.optimizer,
    )
    const { encoder, optimizer, ...rest } = settings
    expect({ ...rest, encoder: 'resnet50', optimizer: RECIPES.get('trex')!.optimizer }).toEqual(
      RECIPES.get('trex'),
    )
  })

  test('what is given wins; the name of the optimizer decides what the rest starts from', () => {
    const optimizerOf = (...sets: string[]) => resolveSettings({ sets }).optimizer
    expect(optimizerOf('encoder=vit_base', 'optimizer.lr=1e-3')).toEqual({ ...adamw, lr: 1e-3 })
    expect(optimizerOf('encoder=vit_base', 'optimizer.name=sgd')).toEqual(RECIPES.get('trex')!.optimizer)
    expect(optimizerOf('optimizer.name=adamw')).toEqual(adamw)
  })

  test.each([
    [224, 16, 96],
    [160, 16, 80], // a ResNet's are of 72 px
    [128, 8, 56],
    [96, 8, 40],
    [64, 8, 24],
    [48, 4, 24],
    [32, 4, 16],
  ])('%i px: patches of %i px divide the crops', (imageSize, patchSize, local) => {
    const settings = resolveSettings({ flags: { encoder: 'vit_tiny', imageSize } })
    expect([settings.vit.patchSize, settings.localCrops!.size]).toEqual([patchSize, local])
    for (const { size } of cropGroups(settings)) expect(size % patchSize).toBe(0)
    const again = resolveSettings({ configFile: configFile(settingsYaml(settings)) })
    expect(again).toEqual(settings)
  })

  test('local crops follow the patch size that is given', () => {
    const settings = resolveSettings({ flags: { encoder: 'vit_small' }, sets: ['vit.patchSize=14'] })
    expect([settings.vit.patchSize, ...cropGroups(settings).map(({ size }) => size)]).toEqual([14, 224, 98])
    const small = resolveSettings({
      flags: { encoder: 'vit_tiny', imageSize: 32 },
      sets: ['vit.patchSize=8'],
    })
    expect(small.localCrops!.size).toBe(16)
  })

  test("a setting of the optimizer that is not used is refused, but for a file's", () => {
    const only = (key: string, name: string) =>
      `optimizer.${key}: only ${name} has it (see optimizer.name), in --set optimizer.${key}`
    expect(problems({ sets: ['optimizer.betas=[0.9, 0.95]'] })[1]).toContain(only('betas', 'adamw'))
    const momentum = 'optimizer.sgdMomentum=0.8'
    expect(problems({ sets: [momentum, 'encoder=vit_tiny'] })[1]).toContain(only('sgdMomentum', 'sgd'))
    const file = configFile('optimizer: { name: adamw, sgdMomentum: 0.8, betas: [0.9, 0.95] }')
    expect(resolveSettings({ configFile: file }).optimizer.betas).toEqual([0.9, 0.95])
    expect(problems({ configFile: file, sets: [momentum] })[1]).toContain(only('sgdMomentum', 'sgd'))
    expect(resolveSettings({ sets: [momentum] }).optimizer.sgdMomentum).toBe(0.8)
  })

  test('sizes that the patches do not divide are all named; a ResNet takes any', () => {
    const sets = [
      'imageSize=100',
      'localCrops.size=30',
      'extraCrops=[{ count: 1, size: 33, scale: [0.1, 1] }]',
    ]
    const multiple = 'must be a multiple of vit.patchSize (8) with vit_tiny, from'
    expect(problems({ flags: { encoder: 'vit_tiny' }, sets })).toEqual([
      'The settings have 4 problems:',
      `globalCrops.size = 100: ${multiple} recipe trex`,
      `localCrops.size = 30: ${multiple} --set localCrops.size=30`,
      expect.stringContaining(
        `extraCrops = [{"count":1,"size":33,"scale":[0.1,1]}]: ${multiple} --set extraCrops`,
      ),
      `validation.crop = 100: ${multiple} recipe trex`,
    ])
    expect(resolveSettings({ sets }).globalCrops.size).toBe(100)
  })

  test('wrong values of the group', () => {
    expect(problems({ sets: ['vit.pooling=max'] })[1]).toContain(
      'vit.pooling = "max": expected one of "class"|"mean"',
    )
    expect(problems({ sets: ['vit.patchSize=0', 'encoder=vit_tiny'] })[1]).toContain('vit.patchSize = 0')
    expect(problems({ sets: ['vit.dropPath=1'] })[1]).toContain('vit.dropPath = 1')
    expect(problems({ sets: ['vit=3'] })[1]).toContain('vit = 3: expected object')
    expect(problems({ sets: ['vit=null', 'encoder=vit_tiny'] })[1]).toContain('vit = null: expected object')
  })
})

describe('problems', () => {
  test('all are reported at once, with where they come from and what was meant', () => {
    const file = configFile(
      'optimzer: { lr: 1 }\nlearningRate: 3\naugment: { Blur_Sigma: [1, 2], hue: 0.7 }\nencoder: resnet5O\n',
    )
    const found = problems({
      configFile: file,
      flags: { epochs: 5 },
      sets: [
        'temperature=hot',
        'sgdMomentum=0.5',
        'globalCrops.scale=[1, 0.5]',
        'workers=-1',
        'batchSize=2.5',
      ],
    })
    expect(found.sort()).toEqual(
      [
        'The settings have 11 problems:',
        `optimzer: no such setting (did you mean "optimizer"?), in ${file}`,
        `learningRate: no such setting, in ${file}`,
        `augment.Blur_Sigma: no such setting (did you mean "augment.blurSigma"?), in ${file}`,
        'sgdMomentum: no such setting (did you mean "optimizer.sgdMomentum"?), in --set sgdMomentum=0.5',
        `augment.hue = 0.7: expected number to be <=0.5, from ${file}`,
        `encoder = "resnet5O": expected one of "resnet18"|"resnet34"|"resnet50"|"resnet101"|"vit_tiny"|"vit_small"|"vit_base" (did you mean "resnet50"?), from ${file}`,
        'temperature = "hot": expected number, from --set temperature=hot',
        'globalCrops.scale = [1,0.5]: the first number is the larger, from --set globalCrops.scale=[1, 0.5]',
        'workers = -1: expected number to be >=0, from --set workers=-1',
        'batchSize = 2.5: expected a whole number, from --set batchSize=2.5',
        'optimizer.warmupEpochs = 10: is longer than the run (see epochs), from recipe trex',
      ].sort(),
    )
  })

  test.each([
    [['a.__proto__.b=1'], 'a: no such setting'],
    [['__proto__.epochs=1'], '__proto__: no such setting'],
    [['optimizer.constructor=1'], 'optimizer.constructor: no such setting'],
    [['optimizer=null'], 'optimizer = null: expected object'],
    [['epochs.x=1'], 'epochs = {"x":1}: expected number'],
    [['seed=.nan'], 'seed = NaN: expected number'],
    [['temperature=0'], 'temperature = 0: must be above 0 with onlineClassMeans'],
    [['validation.crop=300'], 'validation.crop = 300: is larger than validation.resize'],
  ])('%j', (sets, line) => {
    const found = problems({ sets })
    expect(found[0]).toBe('The settings have a problem:')
    expect(found[1]).toContain(line)
    expect(found.length).toBe(2)
  })

  test.each(['optimizer.lr', '=1', 'lr=', 'seed=[1', 'seed ='])('--set %s cannot be read', (text) => {
    expect(problems({ sets: [text] })[0]).toBe(`Cannot read --set ${text}.`)
  })

  test('what cannot be read is listed with the rest', () => {
    expect(problems({ recipe: 'trx', configFile: join(folder, 'none.yaml'), sets: ['a', 'seed=x'] })).toEqual(
      [
        'The settings have 4 problems:',
        'There is no recipe "trx" (did you mean "trex"?).',
        expect.stringContaining('none.yaml: ENOENT'),
        'Cannot read --set a.',
        'seed = "x": expected number, from --set seed=x',
      ],
    )
  })

  test('YAML that holds itself, and long values', () => {
    expect(problems({ configFile: configFile('stem: &a [*a]\n') })[0]).toContain(
      'an alias stands for a part that it is in',
    )
    expect(problems({ sets: ['augment=&a { b: *a }'] })[0]).toContain('Cannot read --set augment')
    const [, line] = problems({ sets: [`stem=${'x'.repeat(500)}`] })
    expect(line!.length).toBeLessThan(700)
    expect(line).toContain(`stem = "${'x'.repeat(76)}...: expected one of`)
  })

  test('groups that may not be left out', () => {
    const groups = ['globalCrops', 'augment', 'normalization', 'optimizer', 'checkpoints', 'watch']
    const sets = [...groups, 'validation', 'data', 'extraCrops'].map((group) => `${group}=null`)
    const found = problems({ sets })
    expect(found).toHaveLength(10)
    for (const line of found.slice(1))
      expect(line).toMatch(/^\w+ = null: expected (object|array), from --set/)
  })

  test('files that are missing, no YAML, or no settings', () => {
    expect(problems({ configFile: join(folder, 'none.yaml') })[0]).toContain('none.yaml: ENOENT')
    expect(problems({ configFile: configFile('epochs: 1\nepochs: 2\n') })[0]).toContain(
      'Map keys must be unique',
    )
    expect(problems({ configFile: configFile('- epochs\n') })[0]).toContain('holds no settings by name')
    expect(resolveSettings({ configFile: configFile('# nothing\n') }).recipe).toBe('trex')
  })
})
