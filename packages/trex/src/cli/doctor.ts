import { Command } from 'commander'

/** `trex doctor [--json]`: engine, devices, and what is missing and how to get it. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('show the engine, its devices, and what is missing')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ trex doctor --json')
    .action(async (flags) => (await import('./runDoctor.js')).runDoctor(flags))
}
