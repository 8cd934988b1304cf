import { Command, InvalidArgumentError, Option } from 'commander'
import { wholeNumber } from './number.js'
import { addModelFlags, addReadingFlags } from './settingOptions.js'

/** `trex transfer --model MODEL --root DIR --out DIR`. */
export function transferCommand(): Command {
  const command = new Command('transfer')
    .description(
      'how well the features of an encoder serve tasks it never saw: tuned linear probes on data sets',
    )
    .requiredOption(
      '--model <model>',
      'run folder, encoder weights (.pth, .safetensors, .npz, .onnx), or random:ENCODER without training',
    )
    .requiredOption(
      '--root <dir>',
      'folder of the data sets: known ones (`trex datasets list`) and class folders',
    )
    .requiredOption('--out <dir>', 'folder for results.json and tables; the same command goes on')
    .option('--only <names>', 'these sets, separated by commas (default: all that are found)', names)
    .option('--seeds <n>', 'searches and scores of each set, with seeds 1 to n', wholeNumber, 5)
    .option('--trials <n>', 'of each search', wholeNumber, 30)
    .option('--probe-epochs <n>', 'of the SGD probe, for large sets', wholeNumber, 100)
    .option('--k <n>', 'neighbours that vote', wholeNumber, 20)
    .option('--compat', "the published evaluation's stopping rule and split, to compare with its numbers")
    .option('--name <text>', 'what tables call the model (default: the path)')
    .option('--cache <dir>', 'where features are kept (default: OUT/features)')
    .option('--checkpoint <which>', 'of a run: best, last or a file (default: best if there is one)')
    .option('--size <pixels>', 'side the images are brought to (default: that of the encoder)', wholeNumber)
    .addOption(
      new Option('--format <kind>', 'of the printed table')
        .choices(['text', 'markdown', 'latex'])
        .default('text'),
    )
    .option('--json', 'print results and means as JSON')
  addReadingFlags(addModelFlags(command))
  command.options.find(({ long }) => long === '--val-fraction')?.hideHelp() // each set has its own parts
  return command
    .addHelpText(
      'after',
      '\nExample:\n  $ trex transfer --model runs/photos --root sets --out transfer/photos',
    )
    .action(async (flags) => (await import('./runTransfer.js')).runTransfer(flags))
}

function names(text: string): string[] {
  const all = text.split(',').map((name) => name.trim())
  if (all.some((name) => name === '')) throw new InvalidArgumentError('A name is missing between commas.')
  return all
}
