/** What of a file became an encoder's weights. */
export interface EncoderReport {
  /** The file, and where in it: a key such as `teacher`, and what stands before the encoder's names. */
  readonly path: string
  readonly key: string
  readonly prefix: string
  /** How many of the encoder's tensors came from the file. */
  readonly taken: number
  /** Names beside them that are none of the encoder's. */
  readonly leftOver: readonly string[]
  /** Counters of batches that the file does not have; they stay 0. */
  readonly missing: readonly string[]
  /** Other places of the file that have the encoder too. */
  readonly others: readonly string[]
}
