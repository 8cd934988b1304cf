import { Command } from 'commander'
import { DATA_HELP } from './dataHelp.js'
import { number } from './number.js'
import { addSettingFlags } from './settingOptions.js'

/** `trex preview DATA --out preview.png`. */
export function previewCommand(): Command {
  const command = new Command('preview')
    .description('draw what a recipe feeds: images with the boxes of their crops, and the crops')
    .argument('<data...>', `${DATA_HELP}; or image files`)
    .option(
      '--out <file>',
      'the sheet to write: .png, or .html with what was drawn for each crop',
      'preview.png',
    )
    .option('--images <n>', 'how many images of a data set: the first of the epoch', number, 6)
    .option('--epoch <n>', 'the epoch whose crops are drawn, from 0', number, 0)
    .option('--json', 'print what was drawn as JSON')
  return addSettingFlags(command)
    .addHelpText(
      'after',
      '\nExample:\n  $ trex preview photos --recipe trex --image-size 96 --out preview.html',
    )
    .action(async (data, flags) => (await import('./runPreview.js')).runPreview(data, flags))
}
