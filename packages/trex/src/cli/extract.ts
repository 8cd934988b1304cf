import { Command, Option } from 'commander'
import { DATA_HELP } from './dataHelp.js'
import { wholeNumber } from './number.js'
import { addModelFlags, addReadingFlags } from './settingOptions.js'

/** `trex extract MODEL DATA --out DIR`. */
export function extractCommand(): Command {
  const command = new Command('extract')
    .description('write the features of images to disk, for probes and other programs')
    .argument(
      '<model>',
      'run folder, encoder weights (.pth, .safetensors, .npz, .onnx), or random:ENCODER without training',
    )
    .argument('<data>', DATA_HELP)
    .requiredOption('--out <dir>', 'folder for train.safetensors, val.safetensors; the same command goes on')
    .addOption(
      new Option('--split <part>', 'which images: both parts, one, or all in one file')
        .choices(['both', 'train', 'val', 'all', 'trainval', 'test'])
        .default('both'),
    )
    .option(
      '--dataset <name>',
      'DATA is the folder of that transfer set (`trex datasets list`), whose parts are trainval and test',
    )
    .option('--checkpoint <which>', 'of a run: best, last or a file (default: best if there is one)')
    .option('--size <pixels>', 'side the images are brought to (default: that of the encoder)', wholeNumber)
    .addOption(
      new Option('--format <name>', 'of the files')
        .choices(['safetensors', 'npy', 'npz', 'parquet'])
        .default('safetensors'),
    )
    .option('--cache <dir>', 'keep features there too, and take those that are there')
    .option('--json', 'print what was written as JSON')
  return addReadingFlags(addModelFlags(command))
    .addHelpText('after', '\nExample:\n  $ trex extract runs/photos flowers --out features/flowers')
    .action(async (model, data, flags) => (await import('./runExtract.js')).runExtract(model, data, flags))
}
