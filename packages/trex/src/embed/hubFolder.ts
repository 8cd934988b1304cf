import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { TrexError } from '../errors.js'
import type { Preprocess } from './model.js'

/** Files of a folder of the hub that are taken, the first there is. */
const FILES = ['onnx/model.onnx', 'model.onnx', 'model.safetensors', 'pytorch_model.bin']

/** The file of the model in a folder as transformers and transformers.js have it. @throws TrexError when there is none. */
export function hubModel(dir: string): string {
  const file = FILES.map((name) => join(dir, name)).find(existsSync)
  if (file) return file
  throw new TrexError(`there is no model in ${dir}`, {
    hint: `give a run folder, or a folder with ${FILES.join(' or ')}`,
  })
}

const side = z.number().int().positive()
const square = z.union([side, z.object({ height: side, width: side })])
const channels = z.tuple([z.number(), z.number(), z.number()])
/** Of https://huggingface.co/docs/transformers/main_classes/image_processor what decides the pixels. */
const schema = z.object({
  size: z.union([square, z.object({ shortest_edge: side })]).optional(),
  crop_size: square.optional(),
  crop_pct: z.number().positive().max(1).nullish(),
  do_center_crop: z.boolean().optional(),
  do_resize: z.boolean().default(true),
  do_rescale: z.boolean().default(true),
  rescale_factor: z.number().default(1 / 255),
  do_normalize: z.boolean().default(true),
  resample: z.number().default(2),
  image_mean: channels.default([0, 0, 0]),
  image_std: channels.default([1, 1, 1]),
})

const FILTERS: Readonly<Record<number, Preprocess['filter']>> = { 2: 'bilinear', 3: 'bicubic' }

/**
 * How images are prepared as `preprocessor_config.json` in a folder tells, where it is there.
 * @throws TrexError when that is in a way that is not known here.
 */
export function hubPreprocess(dir: string): Partial<Preprocess> {
  const path = join(dir, 'preprocessor_config.json')
  if (!existsSync(path)) return {}
  const refuse = (what: string): never => {
    throw new TrexError(`${path}: ${what}`, {
      hint: 'give the option preprocess, all of it, to have images prepared in another way',
    })
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new TrexError(`${path} is no JSON`, { hint: 'download it again', cause })
  }
  const { data: config, error } = schema.safeParse(parsed)
  if (!config) return refuse(`it is not understood: ${z.prettifyError(error)}`)
  const filter = FILTERS[config.resample] ?? refuse(`resample ${config.resample} is neither 2 nor 3`)
  if (!config.do_rescale || Math.abs(config.rescale_factor * 255 - 1) > 1e-3)
    refuse('pixels are not divided by 255')
  const [mean, std] = config.do_normalize
    ? [config.image_mean, config.image_std]
    : ([
        [0, 0, 0],
        [1, 1, 1],
      ] as [Preprocess['mean'], Preprocess['std']])
  return { ...sidesOf(config, refuse), filter, mean, std }
}

function sidesOf(
  { size, crop_size, crop_pct, do_center_crop = crop_size !== undefined, do_resize }: z.infer<typeof schema>,
  refuse: (what: string) => never,
): Partial<Preprocess> {
  if (!do_resize || size === undefined) return refuse('images are not resized')
  const edge = typeof size === 'number' ? size : 'shortest_edge' in size ? size.shortest_edge : null
  if (edge === null) return refuse('images are squeezed to a square, which changes their proportions')
  if (crop_pct) return { resize: Math.floor(edge / crop_pct), crop: edge }
  if (!do_center_crop || crop_size === undefined) return refuse('images are not cut to a square')
  const crop = typeof crop_size === 'number' ? crop_size : crop_size.height
  if (typeof crop_size === 'object' && crop_size.width !== crop) return refuse('crops are no squares')
  return { resize: edge, crop }
}
