import { join, resolve } from 'node:path'
import { demo } from '../demo/demo.js'
import { demoModels } from '../demo/recipes.js'
import { type DemoSets, emojiSets, folderSets } from '../demo/sets.js'
import { TrexError } from '../errors.js'
import { formatTable } from '../report/table.js'
import { followTraining } from './follow.js'
import { startProgress } from './progress.js'

/** The options of `trex demo` as commander gives them. */
export interface DemoFlags {
  data?: string
  out: string
  epochs?: number
  seed?: number
  json?: boolean
}

/** Does what `trex demo` was asked. */
export async function runDemo({ data, out, epochs, seed, json }: DemoFlags): Promise<void> {
  demoModels(Infinity, { epochs, seed }) // a wrong number is an error before anything is drawn
  const cacheDir = join(out, 'data')
  let drawing: ReturnType<typeof startProgress> | undefined
  const onProgress = (done: number, total: number) => {
    drawing ??= startProgress('drawing emoji', total)
    drawing.update(done, 'pictures')
  }
  let sets: DemoSets
  try {
    sets = data
      ? await folderSets(resolve(data), cacheDir, 0.2, seed ?? 22)
      : await emojiSets(cacheDir, onProgress)
  } catch (error) {
    throw systemError(error, out)
  } finally {
    drawing?.stop()
  }
  const { table, labels, report } = await demo(sets, {
    out,
    epochs,
    seed,
    follow: followTraining,
    say: (line: string) => console.error(line),
  })
  console.log(
    json ? JSON.stringify(table, null, 2) : `\n${formatTable(table, { ...labels, untrained: 'Untrained' })}`,
  )
  console.error(`\nreport: ${report}`)
}

/** What the system said against writing the demo's files, as an error with a remedy. */
function systemError(error: unknown, out: string): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error
  return new TrexError(`the demo's pictures cannot be written below ${out}: ${error.message}`, {
    hint: 'free some space, or choose another folder with --out',
    cause: error,
  })
}
