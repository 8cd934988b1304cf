import { Command } from 'commander'
import { DATA_HELP } from './dataHelp.js'

/** `trex replay RUN`. */
export function replayCommand(): Command {
  return new Command('replay')
    .description('run the step again whose loss was not a number, and show where it goes wrong')
    .argument('<run>', 'the run folder')
    .argument('[data]', `${DATA_HELP}; by default where the run found it`)
    .option('--precision <name>', 'fp32, bf16 or fp16 instead of the run’s own')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ trex replay runs/photos --precision fp32')
    .action(async (run, data, flags) => (await import('./runReplay.js')).runReplay(run, data, flags))
}
