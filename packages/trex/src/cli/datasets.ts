import { Command, InvalidArgumentError } from 'commander'
import { DATA_HELP } from './dataHelp.js'
import { number } from './number.js'

const EXAMPLE = '\nExample:\n  $ trex datasets check photos --json > photos.json'

/** `trex datasets list`, `trex datasets how NAME`, `trex datasets check DATA` and `trex datasets check NAME ROOT`. */
export function datasetsCommand(): Command {
  return new Command('datasets')
    .description('look at data sets')
    .addCommand(checkCommand())
    .addCommand(listCommand())
    .addCommand(howCommand())
    .addHelpText('after', EXAMPLE)
}

function listCommand(): Command {
  return new Command('list')
    .description('list the data sets that are known for transfer, and which of them are there')
    .option('--root <dir>', 'a folder with the folders of data sets, each of its own name')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ trex datasets list --root data')
    .action(async (flags) => (await import('./datasetsList.js')).listDatasets(flags))
}

function howCommand(): Command {
  return new Command('how')
    .description('say where to get a known data set, and what its folder should look like')
    .argument('<name>', 'as trex datasets list shows it')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ trex datasets how dtd')
    .action(async (name, flags) => (await import('./datasetsList.js')).explainDataset(name, flags))
}

function checkCommand(): Command {
  return new Command('check')
    .description(
      'read every image of a data set; report what it holds, what is unreadable and what is there twice',
    )
    .argument('<data>', `${DATA_HELP}; or, before a ROOT, the name of a known set (trex datasets list)`)
    .argument('[root]', "the folder of the known set's files")
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
      `\nExit code: 0 if all is well, 1 if images are unreadable or in both train and val.\nThe split of a known set is as published, so images in both of its parts are only told.\n${EXAMPLE}`,
    )
    .action(async (data, root, flags) => {
      const { checkDataset, checkKnownSet } = await import('./datasetsCheck.js')
      return root === undefined ? checkDataset(data, flags) : checkKnownSet(data, root, flags)
    })
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
