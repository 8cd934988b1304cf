import type { Command } from 'commander'
import { number } from './number.js'

/** Adds the flags of SettingFlags to a command. */
export function addSettingFlags(command: Command): Command {
  return command
    .option('--recipe <name>', 'trex (the default), trex-star, trex-plain-3, trex-plain-1 or supervised')
    .option('--config <file>', 'settings in YAML, over the recipe')
    .option(
      '--set <key=value>',
      'one setting, over all others; may be repeated',
      (item, all: string[]) => [...all, item],
      [],
    )
    .option('--encoder <name>', 'resnet18, resnet34, resnet50, resnet101, vit_tiny, vit_small or vit_base')
    .option('--init-from <file>', 'start from the encoder weights of a run, a .safetensors or a PyTorch .pth')
    .option('--image-size <pixels>', 'side of the global crops; the others follow', number)
    .option('--epochs <n>', 'passes over the images', number)
    .option('--batch-size <n>', 'images a step; the learning rate follows', number)
    .option('--warmup-epochs <n>', 'epochs of rising learning rate', number)
    .option('--seed <n>', 'decides initial weights, order and crops', number)
    .option('--val-fraction <f>', 'share of each class held out when the data has no validation part', number)
    .option('--auto-orient', 'turn images as their EXIF orientation says')
    .option('--on-bad <what>', 'at an image that cannot be read: fail (the default) or skip')
    .option('--max-bad <n>', 'with --on-bad skip: the most images left out (default 100)', number)
    .option('--workers <n>', 'threads that decode and crop', number)
    .option('--device <name>', 'auto, cpu or cuda')
    .option('--precision <name>', 'auto, fp32, bf16 or fp16')
}
