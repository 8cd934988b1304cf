import { existsSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { printable } from '../data/check/printable.js'
import { DecodeError } from '../data/decode/decode.js'
import { collectBadImages } from '../data/loader/badImages.js'
import { readSample } from '../data/loader/readSample.js'
import { createSampler } from '../data/loader/sampler.js'
import { type Augmentation, applyAugmentation } from '../data/pixels/augment.js'
import { sampleCrops } from '../data/pixels/multiCrop.js'
import type { ImageDataset } from '../data/sources/sample.js'
import { TrexError } from '../errors.js'
import { type ContactSheet, contactSheetPng, type SheetRow } from '../report/contactSheet.js'
import { previewPage } from '../report/previewPage.js'
import { cropGroups, type Settings } from '../settings.js'
import { openData } from './dataPlace.js'
import { print } from './print.js'
import { type SettingFlags, settingsOf } from './settingFlags.js'

/** The options of `trex preview` as commander gives them. */
export interface PreviewFlags extends SettingFlags {
  out: string
  images: number
  epoch: number
  json?: boolean
}

/** Does what `trex preview` was asked. */
export async function runPreview(data: string[], flags: PreviewFlags): Promise<void> {
  const settings = settingsOf(flags)
  const extension = extname(flags.out).toLowerCase()
  if (extension !== '.png' && extension !== '.html')
    throw new TrexError(`--out ${flags.out}: a preview is a .png or an .html file`)
  for (const [name, least] of [['images', 1] as const, ['epoch', 0] as const])
    if (!Number.isSafeInteger(flags[name]) || flags[name] < least)
      throw new TrexError(`--${name} ${flags[name]}: expected a whole number of at least ${least}`)
  const rows = await sheetRows(await previewed(data, settings), settings, flags)
  const groups = cropGroups(settings).map(
    ({ count, size, scale }) =>
      `${count} x ${size} px, ${percent(scale[0])} to ${percent(scale[1])} of the area`,
  )
  const sheet: ContactSheet = {
    title: `What recipe ${settings.recipe} feeds`,
    subtitle: `epoch ${flags.epoch}, seed ${settings.seed} · ${groups.join(' · ')}`,
    groups,
    rows,
  }
  const bytes = extension === '.png' ? await contactSheetPng(sheet) : await previewPage(sheet)
  try {
    await writeFile(flags.out, bytes)
  } catch (cause) {
    throw new TrexError(`${flags.out} cannot be written: ${(cause as Error).message}`, { cause })
  }
  await print(
    flags.json ? JSON.stringify(drawnOf(sheet), null, 2) : rows.map(({ title }) => title).join('\n'),
  )
  console.error(
    `wrote ${flags.out}: ${rows.length} images with ${rows[0]?.crops.flat().length ?? 0} crops each`,
  )
}

const percent = (share: number) => `${Math.round(share * 100)} %`

/** The data set, or the files given as one without classes. */
async function previewed(data: string[], settings: Settings): Promise<ImageDataset> {
  const [first] = data
  const isSet = data.length === 1 && !(existsSync(first!) && statSync(first!).isFile() && !isList(first!))
  if (isSet) return openData(first!, settings)
  return {
    classes: [''],
    train: data.map((path) => ({ path, label: 0 })),
    val: [],
    ignored: {},
  }
}

/** Files that are data sets themselves. */
const isList = (path: string) => /\.(csv|tsv|tar)$/i.test(path)

async function sheetRows(
  { classes, train, stream }: ImageDataset,
  settings: Settings,
  { images, epoch }: PreviewFlags,
): Promise<SheetRow[]> {
  const { seed, data } = settings
  const whole = classes.length === 1
  const sampler = createSampler({
    length: train.length,
    batchSize: 1,
    seed,
    shuffle: !whole,
    ...(stream && { orderOf: (n: number) => stream.order(seed, n) }),
  })
  const order = sampler.order(epoch).subarray(0, whole ? train.length : images)
  const reader = stream?.open(Array.from(order, (index) => train[index]!))
  const bad = collectBadImages(data)
  const rows: SheetRow[] = []
  try {
    for (const [place, index] of order.entries()) {
      const sample = train[index]!
      try {
        const image = await readSample(
          sample,
          { autoOrient: data.autoOrient },
          sample.problem ? undefined : await reader?.bytes(place),
        )
        const groups = cropGroups(settings)
        const drawn = sampleCrops(image, groups, { seed, epoch, sample: index })
        const crops = drawn.map((group, g) =>
          group.map((one) => ({ drawn: one, image: applyAugmentation(image, one, groups[g]!.size) })),
        )
        const label = classes[sample.label]
        const title = printable(label ? `${label} · ${sample.path}` : sample.path)
        rows.push({ title, image, crops })
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        bad.add(error)
        console.error(`left out: ${printable(error.message)}`)
      }
    }
  } finally {
    await reader?.close()
  }
  return rows
}

function drawnOf({ groups, rows }: ContactSheet) {
  return rows.map(({ title, image: { width, height }, crops }) => ({
    title,
    width,
    height,
    groups: crops.map((group, g) => ({ group: groups[g], crops: group.map(({ drawn }) => plain(drawn)) })),
  }))
}

/** What was drawn, with the order of the jitter as a list: 0 brightness, 1 contrast, 2 saturation, 3 hue. */
function plain(drawn: Augmentation) {
  const { jitter } = drawn
  return { ...drawn, jitter: jitter && { ...jitter, order: Array.from(jitter.order) } }
}
