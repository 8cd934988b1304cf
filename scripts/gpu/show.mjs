/** Shows a benchmark's `--json` line from stdin as its table. */
import { text } from 'node:stream/consumers'
import { formatReport } from '../../bench/report.mjs'

const report = JSON.parse(await text(process.stdin))
if (report.plan) console.log(formatReport(report))
else {
  for (const { name, seconds } of report.sides)
    console.log(`${report.benchmark} ${name}: ${seconds.median.toFixed(3)} s`)
  for (const { of, to, time } of report.ratios) console.log(`${of} / ${to}`, time)
}
