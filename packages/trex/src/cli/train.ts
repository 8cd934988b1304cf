import { Command } from 'commander'
import { number } from './number.js'

// What a command needs is imported when it runs: `trex --help` answers at once.

/** `trex train DATA --recipe R --out RUN`, `trex train --resume RUN`. */
export function trainCommand(): Command {
  return new Command('train')
    .description('train an encoder on a folder of class folders')
    .argument('[data]', 'folder of class folders, or of train/ and val/ with class folders each')
    .option('--recipe <name>', 'trex (the default), trex-star, trex-plain-3, trex-plain-1 or supervised')
    .option('--out <run>', 'the run folder to create')
    .option('--resume <run>', 'continue this run exactly from its last checkpoint')
    .option('--config <file>', 'settings in YAML, over the recipe')
    .option(
      '--set <key=value>',
      'one setting, over all others; may be repeated',
      (item, all: string[]) => [...all, item],
      [],
    )
    .option('--encoder <name>', 'resnet18, resnet34, resnet50 or resnet101')
    .option('--image-size <pixels>', 'side of the global crops; the others follow', number)
    .option('--epochs <n>', 'passes over the images', number)
    .option('--batch-size <n>', 'images a step; the learning rate follows', number)
    .option('--warmup-epochs <n>', 'epochs of rising learning rate', number)
    .option('--seed <n>', 'decides initial weights, order and crops', number)
    .option('--val-fraction <f>', 'share of each class held out when the data has no val/', number)
    .option('--workers <n>', 'threads that decode and crop', number)
    .option('--device <name>', 'auto, cpu or cuda')
    .option('--precision <name>', 'auto, fp32, bf16 or fp16')
    .option('--print-config', 'print the resolved settings and stop')
    .addHelpText(
      'after',
      '\nExample:\n  $ trex train photos --recipe trex --encoder resnet18 --epochs 50 --batch-size 64 --out runs/photos',
    )
    .action(async (data, flags) => (await import('./runTrain.js')).runTrain(data, flags))
}
