import { Command } from 'commander'
import { DATA_HELP } from './dataHelp.js'
import { addSettingFlags } from './settingOptions.js'

// What a command needs is imported when it runs: `trex --help` answers at once.

/** `trex train DATA --recipe R --out RUN`, `trex train --resume RUN`. */
export function trainCommand(): Command {
  const command = new Command('train')
    .description('train an encoder on labelled images')
    .argument('[data]', DATA_HELP)
    .option('--out <run>', 'the run folder to create')
    .option('--resume <run>', 'continue this run exactly from its last checkpoint')
    .option('--print-config', 'print the resolved settings and stop')
    .option('--json', 'with --print-config: as JSON')
    .option('--print-schema', 'print the JSON Schema of settings files and stop')
  return addSettingFlags(command)
    .addHelpText(
      'after',
      '\nExample:\n  $ trex train photos --recipe trex --encoder resnet18 --epochs 50 --batch-size 64 --out runs/photos',
    )
    .action(async (data, flags) => (await import('./runTrain.js')).runTrain(data, flags))
}
