#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { demoCommand } from './demo.js'
import { doctorCommand } from './doctor.js'
import { trainCommand } from './train.js'

const program = new Command('trex')
  .description('Train, evaluate and ship image encoders: t-ReX on libtorch')
  .version('0.1.0')
  .option('--debug', 'show the stack of an error')
  .showHelpAfterError('(trex COMMAND --help shows the options and an example)')
  .exitOverride()

for (const command of [doctorCommand(), demoCommand(), trainCommand()])
  program.addCommand(command.exitOverride())

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode
  else process.exitCode = (await import('./errors.js')).reportError(error, program.opts().debug === true)
}
