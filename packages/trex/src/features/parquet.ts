import { ByteWriter, ParquetWriter } from 'hyparquet-writer'

/** A table of features: a row an image. */
export interface FeatureTable {
  readonly dim: number
  /** Labels [n]: places in `classes`; null: there are none. */
  readonly labels: Int32Array | null
  readonly classes: readonly string[]
  readonly paths: readonly string[]
  /** Values of `count` rows from `row`, [count * dim]. */
  readonly features: (row: number, count: number) => Float32Array
  /** What the file says of itself under `trex.features`. */
  readonly info: string
}

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]['schema'][number]

const required = { repetition_type: 'REQUIRED' } as const
const schemaOf = (labelled: boolean): SchemaElement[] => [
  { name: 'root', num_children: labelled ? 4 : 2 },
  { name: 'path', type: 'BYTE_ARRAY', converted_type: 'UTF8', ...required },
  ...(labelled
    ? ([
        { name: 'label', type: 'INT64', ...required },
        { name: 'class', type: 'BYTE_ARRAY', converted_type: 'UTF8', ...required },
      ] as const)
    : []),
  { name: 'features', converted_type: 'LIST', num_children: 1, ...required },
  { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
  { name: 'element', type: 'FLOAT', ...required },
]
/** Values of a group of rows: 8 MiB of features. */
const GROUP_VALUES = 2 ** 21

/** Groups of rows of a table that are written at a time: where they begin, and how many they are. */
export function* rowGroups({ dim, paths }: FeatureTable): Generator<[row: number, count: number]> {
  const rows = Math.max(1, Math.floor(GROUP_VALUES / dim))
  for (let row = 0; row < paths.length; row += rows) yield [row, Math.min(rows, paths.length - row)]
}

/**
 * The bytes of a Parquet file of features: columns `path`, where there are labels `label` and `class`, and `features`,
 * a list of floats, not compressed, since mantissas do not compress. A group of rows at a time is in memory.
 */
export function* parquetChunks(table: FeatureTable): Generator<Uint8Array> {
  const { dim, labels, classes, paths, features, info } = table
  const writer = new ByteWriter()
  const file = new ParquetWriter({
    writer,
    schema: schemaOf(labels !== null),
    codec: 'UNCOMPRESSED',
    statistics: false,
    kvMetadata: [{ key: 'trex.features', value: info }],
    createdBy: 'trex',
  })
  for (const [row, count] of rowGroups(table)) {
    const some = labels?.subarray(row, row + count)
    const values = features(row, count)
    file.write({
      rowGroupSize: count,
      columnData: [
        { name: 'path', data: paths.slice(row, row + count) },
        ...(some
          ? [
              { name: 'label', data: BigInt64Array.from(some, BigInt) },
              { name: 'class', data: Array.from(some, (label) => classes[label] ?? '') },
            ]
          : []),
        {
          name: 'features',
          data: Array.from({ length: count }, (_, i) => Array.from(values.subarray(i * dim, (i + 1) * dim))),
          encoding: 'PLAIN', // a dictionary of mantissas is as long as they are
          offsetIndex: false,
        },
      ],
    })
    yield taken(writer)
  }
  file.finish()
  yield taken(writer)
}

/** What was written since the last call; the writer goes on at the beginning of its buffer. */
function taken(writer: ByteWriter): Uint8Array {
  const bytes = writer.getBytes().slice()
  writer.index = 0
  return bytes
}
