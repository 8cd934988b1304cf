import type { Command } from 'commander'

/** Adds the flags of SettingFlags to a command. */
export function addSettingFlags(command: Command): Command {
  return addReadingFlags(addLearningFlags(addModelFlags(command)))
}

/** Adds the flags that say where settings come from and what the encoder is. */
export function addModelFlags(command: Command): Command {
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
    .option('--image-size <pixels>', 'side of the global crops; the others follow', numeric)
}

function addLearningFlags(command: Command): Command {
  return command
    .option(
      '--init-from <file>',
      'start from the encoder of a run, or of weights as .pth, .safetensors, .npz or .onnx',
    )
    .option('--epochs <n>', 'passes over the images', numeric)
    .option('--optimizer <name>', 'sgd or adamw')
    .option('--lr <rate>', 'peak learning rate for a batch of 256', numeric)
    .option('--warmup-epochs <n>', 'epochs of rising learning rate', numeric)
    .option('--clip-norm <length>', 'longest gradient, or none', numeric)
    .option('--accumulate <n>', 'parts that a batch is computed in, to save memory', numeric)
    .option('--deterministic', 'only kernels that give the same bits every time')
    .option('--save-every-steps <n>', 'save after so many steps, or none', numeric)
    .option('--save-every-minutes <n>', 'save after so many minutes, or none', numeric)
    .option('--keep-every <n>', 'keep the state after every so many epochs, or none', numeric)
}

/** Adds the flags that say how images are read and where to compute. */
export function addReadingFlags(command: Command): Command {
  return command
    .option('--batch-size <n>', 'images a step; in training the learning rate follows', numeric)
    .option('--seed <n>', 'decides initial weights, and in training order and crops', numeric)
    .option(
      '--val-fraction <f>',
      'share of each class held out when the data has no validation part',
      numeric,
    )
    .option('--auto-orient', 'turn images as their EXIF orientation says')
    .option('--on-bad <what>', 'at an image that cannot be read: fail (the default) or skip')
    .option('--max-bad <n>', 'with --on-bad skip: the most images left out (default 100)', numeric)
    .option('--workers <n>', 'threads that decode and crop', numeric)
    .option('--device <name>', 'auto, cpu or cuda')
    .option('--precision <name>', 'auto, fp32, bf16 or fp16')
}

/** The number that a text holds; other text stays, so that all wrong values are reported at once. */
function numeric(text: string): number | string {
  const value = Number(text)
  return text.trim() === '' || Number.isNaN(value) ? text : value
}
