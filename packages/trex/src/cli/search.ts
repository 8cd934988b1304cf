import { Command } from 'commander'
import { addEncoderFlags } from './embedOptions.js'
import { wholeNumber } from './number.js'

/** `trex search MODEL QUERIES... --in FEATURES`. */
export function searchCommand(): Command {
  const command = new Command('search')
    .description('find the images that are most similar to others, in what `trex embed` wrote')
    .argument(
      '<model>',
      'the model that the features are of, or features themselves to take the queries from',
    )
    .argument('<queries...>', 'image files; of features paths or numbers (from 0) of their images')
    .option('--in <features>', 'features to search (default: those that the queries are from)')
    .option('--k <n>', 'images to find for each query', wholeNumber, 5)
    .option('--html <page>', 'write a page with the pictures')
    .option('--json', 'print what was found as JSON')
  return addEncoderFlags(command)
    .addHelpText(
      'after',
      '\nExample:\n  $ trex search resnet50.pth rose.jpg --in photos.npz\n  $ trex search photos.npz photos/1.jpg --html found.html',
    )
    .action(async (model, queries, flags) =>
      (await import('./runSearch.js')).runSearch(model, queries, flags),
    )
}
