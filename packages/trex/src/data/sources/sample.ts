/** One image of a data set. */
export interface Sample {
  /** What messages call the image: its path, or those of its archive and of its place inside. */
  readonly path: string
  /** Its class's place in `classes`. */
  readonly label: number
  /** Where its bytes are; by default the file at `path`. */
  readonly at?: Location
  /** Why it cannot be read, where that is known before it is tried: its name is not UTF-8, it is no file, ... */
  readonly problem?: { readonly message: string; readonly hint?: string }
}

/** Where an image's bytes are; plain data, so that it can be sent to a worker. */
export type Location = FileSlice | RemoteSlice | PixelRecord

/** An encoded image inside a file, as a member of a tar archive is. */
export interface FileSlice {
  readonly kind: 'slice'
  readonly path: string
  readonly offset: number
  /** Bytes. */
  readonly length: number
}

/** An encoded image inside a file on a server; a `SampleStream` brings its bytes. */
export interface RemoteSlice {
  readonly kind: 'remote'
  readonly url: string
  readonly offset: number
  /** Bytes. */
  readonly length: number
}

/** An image stored as 8-bit planes, [channels, height, width], in memory that threads share. */
export interface PixelRecord {
  readonly kind: 'pixels'
  readonly memory: SharedArrayBuffer
  readonly offset: number
  readonly width: number
  readonly height: number
  /** 1 is grey, 3 are red, green and blue. */
  readonly channels: 1 | 3
}

/** A data set with a training and a validation part. */
export interface ImageDataset {
  /** Names of the classes; a label is a place in this list. */
  readonly classes: readonly string[]
  readonly train: readonly Sample[]
  readonly val: readonly Sample[]
  /** What was left out, by kind, and how many: { '.txt': 3 }. */
  readonly ignored: Readonly<Record<string, number>>
  /** Set where the images are read front to back, from shards on a server. */
  readonly stream?: SampleStream
}

/** Reads samples whose bytes come front to back. */
export interface SampleStream {
  /** The order of the training samples in an epoch: shards shuffled, then a shuffle buffer; by (seed, epoch) alone. */
  order(seed: number, epoch: number): Uint32Array
  /** Begins to read `samples` in about their order, as far ahead as the shuffle buffer allows. */
  open(samples: readonly Sample[], signal?: AbortSignal): SampleReader
}

/** The bytes of the samples that a stream was opened for. */
export interface SampleReader {
  /** The bytes of the `place`-th sample; each is given once. Rejects with TrexError when the server fails for good. */
  bytes(place: number): Promise<Uint8Array>
  close(): Promise<void>
}
