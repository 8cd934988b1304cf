import { Command, InvalidArgumentError } from 'commander'
import { DATA_HELP } from './dataHelp.js'
import { number } from './number.js'

const EXAMPLE = '\nExample:\n  $ trex datasets check photos --json > photos.json'

/** `trex datasets check DATA [--json] [--quick]`. */
export function datasetsCommand(): Command {
  const check = new Command('check')
    .description(
      'read every image of a data set; report what it holds, what is unreadable and what is there twice',
    )
    .argument('<data>', DATA_HELP)
    .option('--json', 'print JSON, with all classes, unreadable files and duplicates')
    .option('--quick', 'read only the first bytes of each image: finds what is no image, not what is damaged')
    .option(
      '--val-fraction <f>',
      'share of each class held out when the data has no val/ (as in train)',
      fraction,
    )
    .option('--seed <n>', 'decides what is held out (as in train)', seed)
    .addHelpText(
      'after',
      `\nExit code: 0 if all is well, 1 if images are unreadable or in both train and val.\n${EXAMPLE}`,
    )
    .action(async (data, flags) => (await import('./datasetsCheck.js')).checkDataset(data, flags))
  return new Command('datasets')
    .description('look at data sets')
    .addCommand(check)
    .addHelpText('after', EXAMPLE)
}

function fraction(text: string): number {
  const value = number(text)
  if (!(value >= 0 && value < 1)) throw new InvalidArgumentError('It is not in [0, 1).')
  return value
}

function seed(text: string): number {
  const value = number(text)
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('It is not a whole number from 0.')
  return value
}
