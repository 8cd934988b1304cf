import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Generator } from 'trex-torch'
import { describe, expect, test } from 'vitest'
import { writePth } from '../src/deploy/writePth.js'
import { loadEncoder, similarity } from '../src/embed/index.js'
import { createEncoder } from '../src/method/encoder.js'
import { buildApp, chromiumPath, serve, startChromium } from './support/browser.js'
import { weightsOf, worn } from './support/onnx.js'
import { picture } from './support/pictures.js'

const example = fileURLToPath(new URL('../../../examples/browser', import.meta.url))
const ANIMALS = ['lion', 'cat-face', 'owl', 'tiger-face', 'fish', 'penguin']

describe.skipIf(!chromiumPath)(
  `examples/browser${chromiumPath ? '' : ' (skipped: there is no Chromium here)'}`,
  () => {
    test('sorts pictures by their nearness to the one that is clicked', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'trex-example-'))
      const app = await buildApp(example)
      const browser = await startChromium()
      try {
        const model = join(folder, 'resnet18.pth')
        const tensors = weightsOf(worn(createEncoder('resnet18', { generator: new Generator(3) }))).tensors
        writePth(
          model,
          [...tensors].map(([name, tensor]) => ({ name, ...tensor })),
        )
        const files = ANIMALS.map((name) => join(folder, `${name}.png`))
        for (const [i, name] of ANIMALS.entries())
          await writeFile(files[i]!, await picture(name, 90, 90, 'png'))
        expect(app.warnings).toEqual([])
        await using server = await serve(app.folder, new Map())
        const page = await browser.newPage()
        const failures: string[] = []
        page.on('pageerror', (error) => failures.push(String(error)))
        await page.goto(server.url)
        const status = page.locator('#status')
        const says = (text: string) => status.filter({ hasText: text }).waitFor()

        await page.setInputFiles('#model', {
          name: 'notes.pth',
          mimeType: '',
          buffer: Buffer.from('no model'),
        })
        await says('notes.pth')
        await page.setInputFiles('#model', model)
        await says('512 features of 224 px on onnxruntime-web')
        await page.setInputFiles('#pictures', files)
        await says('6 pictures')
        await page.locator('#grid button', { has: page.locator('[alt="owl.png"]') }).click()
        const shown = await page
          .locator('#grid button')
          .evaluateAll((cards) =>
            cards.map((card) => [card.querySelector('img')!.alt, card.textContent] as const),
          )

        await using encoder = await loadEncoder(model, { threads: 1 })
        const features = await encoder.embed(files)
        const width = features.shape[1]
        const owl = features.features.subarray(2 * width, 3 * width)
        const cosines = similarity(owl, features)
        const wanted = [...ANIMALS.keys()].sort((a, b) => cosines[b]! - cosines[a]!)
        expect(shown[0]).toEqual(['owl.png', '1.000'])
        expect(shown.map(([name]) => name)).toEqual(wanted.map((i) => `${ANIMALS[i]}.png`))
        for (const [rank, i] of wanted.entries())
          expect(Math.abs(Number(shown[rank]![1]) - cosines[i]!)).toBeLessThan(2e-3)
        expect(failures).toEqual([])
      } finally {
        await browser.close()
        await app.remove()
        await rm(folder, { recursive: true, force: true })
      }
    })
  },
)
