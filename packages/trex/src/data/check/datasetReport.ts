/** The part of a data set that an image belongs to. */
export type Split = 'train' | 'val'

/** An image of a data set, as reports name it. */
export interface ImageRecord {
  readonly path: string
  readonly split: Split
  /** The name of its class. */
  readonly class: string
}

/** What a data set holds, and what is wrong with it; plain data. */
export interface DatasetReport {
  /** No image is unreadable, and none is in both splits. */
  readonly ok: boolean
  /** Whether only the first bytes of each image were read. */
  readonly quick: boolean
  readonly images: { readonly train: number; readonly val: number }
  /** In the order of their labels. */
  readonly classes: readonly ClassCount[]
  readonly smallestClass: ClassCount | null
  readonly largestClass: ClassCount | null
  readonly unreadable: readonly UnreadableImage[]
  /** What was left out, by kind. */
  readonly ignored: Readonly<Record<string, number>>
  /** Of the images that were decoded; null if only first bytes were read. */
  readonly contents: Contents | null
  readonly duplicates: Duplicates | null
}

/** How many images a class has; those that cannot be read are among them. */
export interface ClassCount {
  readonly name: string
  readonly train: number
  readonly val: number
}

export interface UnreadableImage extends ImageRecord {
  /** Why it cannot be read. */
  readonly message: string
  readonly hint?: string
}

export interface Contents {
  /** Images decoded. */
  readonly images: number
  /** Of all encoded images together. */
  readonly bytes: number
  readonly formats: Readonly<Record<string, number>>
  readonly colors: Readonly<Record<string, number>>
  /** Pixels; null where there are no images. */
  readonly width: Spread | null
  readonly height: Spread | null
  /** Images with a side of less than 32 pixels. */
  readonly smallerThan32: number
}

export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

/** Groups of images of the same bytes. */
export interface Duplicates {
  /** Groups with images in train and in val: validation would flatter. */
  readonly acrossSplits: number
  /** All other groups. */
  readonly withinSplit: number
  /** Groups of either kind with images of several classes. */
  readonly differentLabels: number
  /** Those across splits first, then those of different labels. */
  readonly groups: readonly DuplicateGroup[]
}

export interface DuplicateGroup {
  readonly acrossSplits: boolean
  readonly differentLabels: boolean
  readonly images: readonly ImageRecord[]
}
