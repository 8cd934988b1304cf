import { type FeatureTable, rowGroups } from './parquet.js'

/** An image and its features in JSON, a line of its own; numbers with the nine digits that tell float32 ones apart. */
export function jsonLine(path: string, features: Float32Array, label: object = {}): string {
  const numbers = Array.from(features, (value) => Number(value.toPrecision(9)))
  return `${JSON.stringify({ path, ...label, features: numbers })}\n`
}

/** The bytes of a table as lines of JSON: `path`, where there are labels `label` and `class`, and `features`. */
export function* jsonLines(table: FeatureTable): Generator<Uint8Array> {
  const { dim, labels, classes, paths, features } = table
  const encoder = new TextEncoder()
  for (const [row, count] of rowGroups(table)) {
    const values = features(row, count)
    for (let i = 0; i < count; i++) {
      const label = labels ? { label: labels[row + i], class: classes[labels[row + i]!] } : {}
      yield encoder.encode(jsonLine(paths[row + i]!, values.subarray(i * dim, (i + 1) * dim), label))
    }
  }
}
