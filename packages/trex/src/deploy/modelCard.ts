import { stringify } from 'yaml'
import type { OnnxReport } from '../onnx/verifyOnnx.js'
import { usage } from './cardUsage.js'
import type { DeployedModel, Part } from './deployedModel.js'
import type { Format } from './exportModel.js'
import { escaped, fenced, table } from './markdown.js'

/** What a card says beside what the model itself tells; what is not known is null. */
export interface CardFacts {
  readonly title: string
  /** Of the weights: an identifier of the hub's as apache-2.0, or any name. */
  readonly license: string | null
  readonly dataLicense: string | null
  readonly training: TrainingFacts | null
  readonly transfer: TransferFacts | null
}

/** How a run was trained, and how well it does. */
export interface TrainingFacts {
  readonly recipe: string
  readonly classes: number
  readonly trainImages: number
  readonly valImages: number
  /** SHA-256 over names and labels of the images. */
  readonly fingerprint: string
  /** All settings, as YAML. */
  readonly settings: string
  /** Of the weights, where the run was validated; per cent. */
  readonly validation: { readonly epoch: number; readonly top1: number; readonly top5: number } | null
}

/** What `trex transfer` measured. */
export interface TransferFacts {
  readonly sets: readonly { readonly name: string; readonly metric: string; readonly score: number }[]
}

/** A graph and how it was verified; null: it was not. */
export interface VerifiedFile {
  readonly file: string
  readonly precision: string
  readonly report: (OnnxReport & { readonly reference: string }) | null
}

const LIBRARIES: Record<Format, string> = {
  safetensors: 'trex',
  torchvision: 'pytorch',
  onnx: 'onnx',
  'transformers.js': 'transformers.js',
  timm: 'timm',
}

const NOT_STATED = 'not stated'

/** The README.md of an exported model: the hub's fields, what it is, how it was made and checked, and how to use it. */
export function modelCard(
  model: DeployedModel,
  format: Format,
  parts: readonly Part[],
  facts: CardFacts,
  verified: readonly VerifiedFile[],
): string {
  const sections = [
    `---\n${stringify(frontMatter(model, format, facts)).trimEnd()}\n---`,
    `# ${escaped(facts.title)}`,
    aboutText(model, parts, facts),
    '## Use',
    usage(model, format, parts),
    ...(facts.training ? ['## Training', trainingText(facts.training)] : []),
    ...resultsText(facts),
    ...(verified.length ? ['## Verification', verificationText(verified)] : []),
    '## Licences',
    `- weights: ${escaped(facts.license ?? NOT_STATED)}\n- data: ${escaped(facts.dataLicense ?? NOT_STATED)}`,
  ]
  return `${sections.join('\n\n')}\n`
}

function frontMatter({ description }: DeployedModel, format: Format, { license }: CardFacts): object {
  return {
    ...(license && licenseFields(license)),
    library_name: LIBRARIES[format],
    pipeline_tag: 'image-feature-extraction',
    tags: ['image-feature-extraction', 'trex', ...(description.encoder ? [description.encoder] : [])],
  }
}

/** The hub knows licences by identifiers; others have a name of their own. */
function licenseFields(license: string): object {
  if (/^[a-z0-9][a-z0-9.-]*$/.test(license)) return { license }
  return { license: 'other', license_name: license }
}

function aboutText({ description }: DeployedModel, parts: readonly Part[], { training }: CardFacts): string {
  const { encoder, stem, vit, featureDim, preprocess } = description
  const { resize, crop, filter, mean, std } = preprocess
  const kind = vit ? `patches of ${vit.patchSize} px, ${vit.pooling} token` : `${stem} stem`
  const made = training ? ', trained with trex' : ''
  return [
    `An image encoder${made}: images to ${featureDim} features.`,
    table(
      ['', ''],
      [
        ['encoder', `${encoder} (${kind})`],
        ['features', `${featureDim}`],
        ...(parts.length ? [['also inside', parts.join(', ')]] : []),
        ['images', `shortest side to ${resize} px (${filter}, antialiased), centred ${crop} x ${crop} px`],
        ['values', `(x / 255 - mean) / std with mean ${mean.join(', ')} and std ${std.join(', ')} (RGB)`],
      ],
    ),
  ].join('\n\n')
}

function trainingText({
  recipe,
  classes,
  trainImages,
  valImages,
  fingerprint,
  settings,
}: TrainingFacts): string {
  return [
    table(
      ['', ''],
      [
        ['recipe', escaped(recipe)],
        ['data', `${classes} classes, ${trainImages} training and ${valImages} validation images`],
        ['fingerprint of the data', `\`${fingerprint}\` (SHA-256 of names and labels)`],
      ],
    ),
    `<details><summary>All settings</summary>\n\n${fenced('yaml', settings)}\n\n</details>`,
  ].join('\n\n')
}

function resultsText({ training, transfer }: CardFacts): string[] {
  const validation = training?.validation
  const rows = [
    ...(validation
      ? [
          ['training task, validation', 'top-1', percent(validation.top1)],
          ['training task, validation', 'top-5', percent(validation.top5)],
        ]
      : []),
    ...(transfer?.sets ?? []).map(({ name, metric, score }) => [
      escaped(name),
      escaped(metric),
      percent(score),
    ]),
  ]
  return rows.length ? ['## Results', table(['data', 'measure', 'result'], rows)] : []
}

const percent = (value: number) => `${value.toFixed(2)} %`

function verificationText(verified: readonly VerifiedFile[]): string {
  const rows = verified.map(({ file, precision, report }) => {
    if (!report) return [`\`${file}\``, precision, 'not verified', '', '', '']
    const outputs = Object.values(report.outputs)
    const worst = (of: 'maxRelativeError' | 'maxCosineError') =>
      Math.max(...outputs.map((output) => output[of]))
    return [
      `\`${file}\``,
      precision,
      `${report.images}`,
      worst('maxRelativeError').toExponential(1),
      worst('maxCosineError').toExponential(1),
      percent(100 * report.neighbourAgreement),
    ]
  })
  const [report] = verified.flatMap(({ report }) => report ?? [])
  const head = [
    'file',
    'precision',
    'images',
    'largest error / largest value',
    'largest 1 - cosine',
    'same nearest neighbour',
  ]
  return [
    ...(report
      ? [`Computed by ${escaped(report.runtime)}, compared with ${escaped(report.reference)} on real images.`]
      : []),
    table(head, rows),
  ].join('\n\n')
}
