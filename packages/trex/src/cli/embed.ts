import { Command, Option } from 'commander'
import { addEncoderFlags, MODEL_HELP } from './embedOptions.js'
import { number } from './number.js'

/** `trex embed MODEL IMAGES... --out FILE`. */
export function embedCommand(): Command {
  const command = new Command('embed')
    .description('write the features of images to a file, or as JSON lines to stdout')
    .argument('<model>', MODEL_HELP)
    .argument('<images...>', 'image files, folders of them, or - for a list of paths on stdin')
    .requiredOption('--out <file>', 'what to write, or - for JSON lines on stdout; the same command goes on')
    .addOption(
      new Option('--format <name>', 'of the file (default: by its name)').choices([
        'npy',
        'npz',
        'parquet',
        'jsonl',
      ]),
    )
    .addOption(
      new Option('--on-bad <what>', 'at an image that cannot be read: stop, or leave it out and record it')
        .choices(['fail', 'skip'])
        .default('fail'),
    )
    .option('--workers <n>', 'threads that decode (default: up to 4); 0: none', number)
    .option('--json', 'print what was written as JSON')
  return addEncoderFlags(command)
    .addHelpText(
      'after',
      '\nExample:\n  $ trex embed resnet50.pth photos --out photos.npz\n  $ find photos -name "*.jpg" | trex embed runs/photos - --out - | head -1',
    )
    .action(async (model, images, flags) => (await import('./runEmbed.js')).runEmbed(model, images, flags))
}
