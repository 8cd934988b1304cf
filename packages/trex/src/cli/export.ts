import { Command, Option } from 'commander'
import { FORMATS } from '../deploy/exportModel.js'
import { wholeNumber } from './number.js'
import { addModelFlags } from './settingOptions.js'

/** `trex export MODEL --format FORMAT --out PATH`. */
export function exportCommand(): Command {
  const command = new Command('export')
    .description('write a model for other programs')
    .argument('<model>', 'run folder, or encoder weights as .safetensors or .pth')
    .addOption(
      new Option('--format <name>', 'of whom the result is for').choices(FORMATS).makeOptionMandatory(),
    )
    .requiredOption(
      '--out <path>',
      'file (.safetensors, .pth, .onnx), or folder with the model card as README.md',
    )
    .option('--with <parts>', 'beside the encoder: projector, classifier, prototypes, with commas between')
    .option('--checkpoint <which>', 'of a run: best, last or a file (default: best if there is one)')
    .option('--size <pixels>', 'side of the images (default: that of the encoder)', wholeNumber)
    .addOption(
      new Option('--preparation <which>', 'how images are prepared: as trex extract or as validation does')
        .choices(['extract', 'validation'])
        .default('extract'),
    )
    .option(
      '--precision <list>',
      'of ONNX graphs: fp32 (the default), fp16 or int8; of transformers.js also several',
    )
    .option('--images <dir>', 'images to compare graphs on (default: those a run was validated on)')
    .option(
      '--calibrate <dir>',
      'images that ranges of int8 are taken from, or none: int8 weights alone (default: training images of a run)',
    )
    .option('--unverified', 'write graphs without comparing them with the model')
    .option('--title <text>', "the card's title (default: the name of the model)")
    .option('--license <id>', 'of the weights, for the card: apache-2.0, cc-by-4.0, ...')
    .option('--data-license <text>', 'of the images, for the card')
    .option('--results <file>', 'results.json of trex transfer, for the card')
    .option('--force', 'replace an older export')
    .option('--json', 'print what was written as JSON')
  return addModelFlags(command)
    .addHelpText('after', '\nExample:\n  $ trex export runs/photos --format timm --out photos-timm')
    .action(async (model, flags) => (await import('./runExport.js')).runExport(model, flags))
}
