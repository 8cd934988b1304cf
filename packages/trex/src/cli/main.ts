#!/usr/bin/env node
import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { compareCommand } from './compare.js'
import { datasetsCommand } from './datasets.js'
import { demoCommand } from './demo.js'
import { doctorCommand } from './doctor.js'
import { embedCommand } from './embed.js'
import { evalCommand } from './eval.js'
import { exportCommand } from './export.js'
import { extractCommand } from './extract.js'
import { importCommand } from './import.js'
import { previewCommand } from './preview.js'
import { watchOutput } from './print.js'
import { pullCommand } from './pull.js'
import { pushCommand } from './push.js'
import { replayCommand } from './replay.js'
import { runsCommand } from './runs.js'
import { searchCommand } from './search.js'
import { trainCommand } from './train.js'
import { transferCommand } from './transfer.js'

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }

const program = new Command('trex')
  .description('Train, evaluate and ship image encoders: t-ReX on libtorch')
  .version(version)
  .option('--debug', 'show the stack of an error')
  .showHelpAfterError('(trex COMMAND --help shows the options and an example)')
  .addHelpText('after', '\nExample:\n  $ trex train photos --out runs/photos')
  .exitOverride()

const commands = [
  doctorCommand(),
  demoCommand(),
  trainCommand(),
  replayCommand(),
  runsCommand(),
  importCommand(),
  evalCommand(),
  extractCommand(),
  embedCommand(),
  searchCommand(),
  exportCommand(),
  pushCommand(),
  pullCommand(),
  transferCommand(),
  compareCommand(),
  previewCommand(),
  datasetsCommand(),
]
for (const command of commands) {
  program.addCommand(command.copyInheritedSettings(program))
  for (const inner of command.commands) inner.copyInheritedSettings(command)
}

watchOutput()
try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode
  else process.exitCode = (await import('./errors.js')).reportError(error, program.opts().debug === true)
}
