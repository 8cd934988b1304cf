/**
 * Lint, types and tests; the last line is `N passed, N failed`. Arguments go to vitest (filters, `-t NAME`).
 * Each of the checks besides the tests counts as one.
 */
import { addCounts, runTool, runVitest, summaryLine } from './testRun.mjs'

const checks = [
  ['lint', 'biome', ['check', '.']],
  ['types', 'tsc', ['-b']],
  ['types of the tests', 'tsc', ['-p', 'scripts/tsconfig.tests.json']],
]

const counts = []
for (const [name, tool, args] of checks) {
  const ok = (await runTool(tool, args)) === 0
  console.log(`${name}: ${ok ? 'ok' : 'FAILED'}`)
  counts.push({ passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 })
}
counts.push(await runVitest(process.argv.slice(2)))

const total = addCounts(...counts)
console.log(summaryLine(total))
process.exitCode = total.failed > 0 ? 1 : 0
