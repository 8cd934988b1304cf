import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readEvents } from '../../../test/support/eventFileReader.js'
import { openEventFile } from './eventFile.js'
import { type LoggedRow, logRow } from './logRow.js'

test('rows are scalars at the last step they tell of', () => {
  const dir = mkdtempSync(join(tmpdir(), 'trex-rows-'))
  try {
    using file = openEventFile(dir, { startStep: 0 })
    const rows: LoggedRow[] = [
      {
        ...{
          kind: 'step',
          epoch: 0,
          step: 4,
          loss: 2,
          top1: 25,
          lr: 0.5,
          imagesPerSecond: 8,
          dataWait: 0.25,
        },
      },
      { ...{ kind: 'epoch', epoch: 0, step: 5, loss: 2, top1: 30, top5: 75, valLoss: 1.5, seconds: 9 } },
      { ...{ kind: 'epoch', epoch: 0, step: 5, loss: 2, seconds: 9 } },
      { ...{ kind: 'spectrum', epoch: 0, step: 5, effectiveRank: 12, codingLength: 3, singularValues: [1] } },
      { kind: 'unknown', step: 9 },
    ]
    for (const row of rows) logRow(file, row)
    const events = readEvents(readFileSync(file.path)).slice(2)
    expect(events.map(({ tag, step, scalar }) => [tag, step, scalar])).toEqual([
      ['train/loss', 4, 2],
      ['train/top1', 4, 25],
      ['train/lr', 4, 0.5],
      ['speed/imagesPerSecond', 4, 8],
      ['speed/dataWait', 4, 0.25],
      ['validation/top1', 4, 30],
      ['validation/top5', 4, 75],
      ['validation/loss', 4, 1.5],
      ['spectrum/effectiveRank', 4, 12],
      ['spectrum/codingLength', 4, 3],
    ])
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
