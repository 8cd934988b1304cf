import { Command, Option } from 'commander'
import { wholeNumber } from './number.js'

/** `trex import FILE [--out encoder.safetensors] [--inspect]`. */
export function importCommand(): Command {
  return new Command('import')
    .description('take the encoder out of a file of weights, or say what is in it; nothing in it is executed')
    .argument('<file>', 'weights: .pth or .pt of PyTorch, .safetensors, .npz or .onnx')
    .option('--out <file>', 'where the encoder goes, as safetensors', 'encoder.safetensors')
    .option('--inspect', 'only show what is in the file; no tensor is read')
    .option(
      '--key <text>',
      'of several encoders the one at a place with these words, as teacher or state_dict.module',
    )
    .addOption(
      new Option('--dtype <name>', 'type of the weights (default: that of the file)').choices([
        'float32',
        'float16',
        'bfloat16',
      ]),
    )
    .option(
      '--image-size <pixels>',
      'side of the images it is for (default: what the weights tell)',
      wholeNumber,
    )
    .option(
      '--resize <pixels>',
      'what the shortest side becomes before the crop (default: the image size)',
      wholeNumber,
    )
    .addOption(
      new Option('--filter <name>', 'how images are resized (default: bicubic)').choices([
        'bicubic',
        'bilinear',
      ]),
    )
    .option('--mean <r,g,b>', "of the pixels, for values in 0..1 (default: ImageNet's)")
    .option('--std <r,g,b>', "deviation of the pixels (default: ImageNet's)")
    .addOption(
      new Option('--pooling <how>', "a vision transformer's features (default: class)").choices([
        'class',
        'mean',
      ]),
    )
    .option('--force', 'replace the file that is there')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ trex import resnet50.pth --out resnet50.safetensors')
    .action(async (file, flags) => (await import('./runImport.js')).runImport(file, flags))
}
