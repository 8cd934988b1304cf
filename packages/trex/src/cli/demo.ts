import { Command } from 'commander'
import { number } from './number.js'

/** `trex demo [--data DIR]`. */
export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'train t-ReX and plain supervision on a small set, compare how they transfer, and write a report',
    )
    .option('--data <folder>', 'your own class folders instead of emoji')
    .option('--out <folder>', 'where runs, pictures and report.html go', 'runs/demo')
    .option('--epochs <n>', "passes over the images, instead of the demo's own", number)
    .option('--seed <n>', 'decides initial weights, order and crops', number)
    .option('--json', 'print the table as JSON')
    .addHelpText('after', '\nExample:\n  $ trex demo --data photos --out runs/photos-demo')
    .action(async (flags) => (await import('./runDemo.js')).runDemo(flags))
}
