/** Running the checks and counting them: what scripts/test.mjs and scripts/ciEngines.mjs share. */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const tools = {
  biome: 'node_modules/@biomejs/biome/bin/biome',
  tsc: 'node_modules/typescript/bin/tsc',
  vitest: 'node_modules/vitest/vitest.mjs',
}

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * Runs a tool of node_modules in the workspace with its output shown.
 * @param {keyof typeof tools} tool
 * @returns {Promise<number>} its exit status, 1 where a signal ended it
 */
export function runTool(tool, args, env = process.env) {
  const child = spawn(process.execPath, [join(root, tools[tool]), ...args], {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return new Promise((done) => {
    child.on('error', () => done(1))
    child.on('close', (code) => done(code ?? 1))
  })
}

/**
 * Runs vitest and counts its tests.
 * @param {string[]} args for vitest: filters, flags
 * @returns {Promise<Counts>}
 */
export async function runVitest(args, env = process.env) {
  const report = join(root, `build/vitest-${process.pid}.json`)
  mkdirSync(join(root, 'build'), { recursive: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const status = await runTool('vitest', ['run', ...reporters, ...args], env)
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'))
    for (const name of skippedForAReason(result)) console.log(name)
    return countTests(result, status)
  } catch {
    return { passed: 0, failed: 1, skipped: 0 } // it ended before it could report
  } finally {
    rmSync(report, { force: true })
  }
}

/**
 * The counts of vitest's JSON report. A file that could not be loaded counts as one failed test, and so does
 * an exit status other than 0 that no failed test explains (no tests found, an unhandled error).
 * @returns {Counts}
 */
export function countTests(report, status) {
  const unloaded = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  )
  const failed = report.numFailedTests + unloaded.length
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && status !== 0 ? 1 : failed,
    skipped: report.numPendingTests + (report.numTodoTests ?? 0),
  }
}

/** The names of skipped tests that say why: `... skipped: why ...`. */
function skippedForAReason(report) {
  const tests = report.testResults.flatMap((file) => file.assertionResults)
  const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed')
  return skipped.map((test) => test.fullName).filter((name) => name.includes('skipped:'))
}

/** @returns {Counts} the sum */
export function addCounts(...all) {
  const sum = (key) => all.reduce((total, counts) => total + counts[key], 0)
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') }
}

/** `N passed, N failed`, with `, N skipped` where some were. */
export function summaryLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}
