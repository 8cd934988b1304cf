import { TrexError } from '../../../errors.js'
import { readLines } from './textLines.js'

/**
 * The wanted columns of a table with a header and fields separated by tabs, row by row; row i is line i + 2.
 * @throws TrexError naming a column that is missing, or a line that is too short.
 */
export async function readTable(file: string, columns: readonly string[]): Promise<string[][]> {
  const [header = '', ...lines] = await readLines(file)
  const names = header.split('\t')
  const places = columns.map((column) => names.indexOf(column))
  const missing = columns.filter((_, i) => places[i] === -1)
  if (missing.length > 0) throw new TrexError(`${file} has no column ${missing.join(', ')} in its first line`)
  return lines.map((line, i) => {
    const fields = line.split('\t')
    if (places.some((place) => place >= fields.length))
      throw new TrexError(`${file}:${i + 2} has ${fields.length} fields, too few`)
    return places.map((place) => fields[place]!)
  })
}
