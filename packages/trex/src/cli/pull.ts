import { Command } from 'commander'

/** `trex pull REPO --out DIR`. */
export function pullCommand(): Command {
  return new Command('pull')
    .description('download a model from the Hugging Face hub; the same command goes on where it was stopped')
    .argument('<repo>', 'USER/NAME, or USER/NAME@REVISION')
    .requiredOption('--out <dir>', 'folder for its files')
    .option(
      '--file <pattern>',
      'only files like this, as "*.safetensors" or "onnx/*"; may be repeated',
      (item, all: string[]) => [...all, item],
      [],
    )
    .option('--force', 'replace files of the same names')
    .option('--json', 'print what was pulled as JSON')
    .addHelpText(
      'after',
      '\nHF_TOKEN is the token to use, HF_ENDPOINT another server.\n\nExample:\n  $ trex pull someone/photos --out photos --file "*.safetensors"',
    )
    .action(async (repo, flags) => (await import('./runPull.js')).runPull(repo, flags))
}
