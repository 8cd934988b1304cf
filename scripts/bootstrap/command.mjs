/** Runs a program to its end, keeping its output for the message of a failure. */
import { spawn, spawnSync } from 'node:child_process'

/**
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions & { shownLines?: number }} [options]
 * @returns {Promise<string>} what it printed
 * @throws when it cannot be started or fails; the message ends with the last lines it printed
 */
export async function run(command, args, { shownLines = 20, ...options } = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  let output = ''
  child.stdout?.on('data', (chunk) => (output += chunk))
  child.stderr?.on('data', (chunk) => (output += chunk))
  const how = await new Promise((done) => {
    child.on('error', (error) => done(error.message))
    child.on('close', (code, signal) => done(code === 0 ? '' : signal ? `signal ${signal}` : `exit ${code}`))
  })
  if (how === '') return output
  const tail = output.trimEnd().split('\n').slice(-shownLines).join('\n')
  throw new Error(`${[command, ...args].join(' ')} failed (${how})${tail ? `:\n${tail}` : ''}`)
}

/** Whether `command` can be run and succeeds, without input and within a minute. */
export function succeeds(command, args = ['--version'], options = {}) {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 60_000, ...options }).status === 0
}
