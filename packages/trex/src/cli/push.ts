import { Command } from 'commander'

/** `trex push DIR REPO`. */
export function pushCommand(): Command {
  return new Command('push')
    .description('put an exported model into a repository of the Hugging Face hub, in one commit')
    .argument('<dir>', 'folder that `trex export --out` made')
    .argument('<repo>', 'USER/NAME; it is made where it is not there yet')
    .option('--private', 'only whom its owner allows may see it')
    .option('--json', 'print what was pushed as JSON')
    .addHelpText(
      'after',
      '\nHF_TOKEN is the token to use, HF_ENDPOINT another server.\n\nExample:\n  $ trex push photos-timm someone/photos --private',
    )
    .action(async (dir, repo, flags) => (await import('./runPush.js')).runPush(dir, repo, flags))
}
