import { Command, Option } from 'commander'

/** `trex runs DIR [--sort best] [--json]`: the runs below a folder, and how each stands. */
export function runsCommand(): Command {
  return new Command('runs')
    .description('list the runs below a folder: how each stands, and its best accuracy')
    .argument('<dir>', 'a folder of runs, or of folders of runs')
    .addOption(new Option('--sort <by>', 'what comes first').choices(['name', 'best']).default('name'))
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ trex runs runs --sort best')
    .action(async (dir, flags) => (await import('./runRuns.js')).runRuns(dir, flags))
}
