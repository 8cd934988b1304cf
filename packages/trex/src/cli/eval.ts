import { Command, Option } from 'commander'
import { DATA_HELP } from './dataHelp.js'
import { addModelFlags, addReadingFlags } from './settingOptions.js'

/** `trex eval RUN [DATA]`, `trex eval WEIGHTS DATA`. */
export function evalCommand(): Command {
  const command = new Command('eval')
    .description('evaluate a run, or weights of an encoder, on labelled images')
    .argument('<run>', 'run folder, or encoder weights (.pth, .safetensors, .npz, .onnx)')
    .argument('[data]', `${DATA_HELP}; a run has its own`)
    .option('--checkpoint <which>', 'of a run: best, last or a file (default: best if there is one)')
    .addOption(
      new Option('--split <part>', 'whose images are classified')
        .choices(['val', 'train', 'all'])
        .default('val'),
    )
    .option('--features-only', 'only nearest class means and neighbours, for other classes')
    .option('--no-features', 'no class means and neighbours, which read the training images too')
    .option('--per-class', 'list all classes')
    .option('--out <dir>', 'write eval.json, per-class.csv, confusion.csv and confusion.html')
    .option('--json', 'print everything as JSON')
  return addReadingFlags(addModelFlags(command))
    .addHelpText('after', '\nExample:\n  $ trex eval runs/photos --out runs/photos/eval')
    .action(async (run, data, flags) => (await import('./runEval.js')).runEval(run, data, flags))
}
