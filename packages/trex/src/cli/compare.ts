import { Command, Option } from 'commander'

/** `trex compare RESULTS OTHER...`: how well models transfer beside a first one, on the sets that both have. */
export function compareCommand(): Command {
  return new Command('compare')
    .description('compare how models transfer, paired by set and seed: each with the first')
    .argument('<results>', 'the --out folder of `trex transfer`, or its results.json')
    .argument('<others...>', 'those of other models')
    .addOption(
      new Option('--format <kind>', 'of the tables').choices(['text', 'markdown', 'latex']).default('text'),
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ trex compare transfer/random transfer/trex')
    .action(async (results, others, flags) =>
      (await import('./runCompare.js')).runCompare([results, ...others], flags),
    )
}
