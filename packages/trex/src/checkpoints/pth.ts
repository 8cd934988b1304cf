import type { ByteSource } from './byteSource.js'
import { CheckpointError, CONVERT_HINT } from './checkpointError.js'
import { openLegacyPth } from './legacyPth.js'
import { unpickle } from './pickle.js'
import { pickleBudget } from './pickleBudget.js'
import { type PthFile, readPickle, readTensor } from './pthFile.js'
import { itemBytes, type PthStorage } from './pthTensor.js'
import { quoted } from './quoted.js'
import { torchMeaning } from './torchMeaning.js'
import { readZip, type ZipEntry } from './zip.js'

const MAX_PICKLE_BYTES = 1 << 28

/**
 * Opens a `.pth` or `.pt` file. It is never executed: of all that its pickle names only storages, tensors, parameters
 * and ordered dicts have a meaning, and nothing can be called. Everything but the tensors' elements is read and checked
 * here; `source` must stay open for these.
 * @throws CheckpointError naming the file and what is wrong with it, or how to convert it when it is of a kind that is not read.
 */
export function openPth(source: ByteSource): PthFile {
  const head = source.read(0, Math.min(source.size, 512))
  const starts = (...bytes: number[]) => bytes.every((byte, i) => head[i] === byte)
  if (starts(0x50, 0x4b, 0x03, 0x04)) return openZipPth(source, readZip(source))
  if (starts(0x80) && head[1]! >= 2 && head[1]! <= 5) return openLegacyPth(source)
  if (source.size === 0) throw new CheckpointError(source.name, 'is empty')
  const tar = new TextDecoder().decode(head.subarray(257, 262)) === 'ustar'
  throw new CheckpointError(
    source.name,
    tar ? 'is a tar archive, as PyTorch wrote before 0.2' : 'was not written by torch.save',
    {
      hint: CONVERT_HINT,
    },
  )
}

/** As `openPth`, of an archive whose directory has been read. */
export function openZipPth(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>): PthFile {
  for (const { name, deflated } of entries.values())
    if (deflated)
      throw new CheckpointError(
        source.name,
        `member ${quoted(name)} is compressed, which torch.save never does`,
      )
  const prefix = folderOf(source, entries)
  const small = (name: string, limit: number): Uint8Array | undefined => {
    const entry = entries.get(`${prefix}/${name}`)
    if (entry && entry.size > limit)
      throw new CheckpointError(
        source.name,
        `${name} takes ${entry.size} bytes, more than any checkpoint needs`,
      )
    return entry && source.read(entry.offset, entry.size)
  }
  if (entries.has(`${prefix}/constants.pkl`))
    throw new CheckpointError(source.name, 'is a TorchScript program', { hint: CONVERT_HINT })
  const order = small('byteorder', 16)
  if (order && new TextDecoder().decode(order) !== 'little')
    throw new CheckpointError(source.name, 'has its numbers in another byte order than little-endian', {
      hint: CONVERT_HINT,
    })
  const storageEntry = (key: string) => entries.get(`${prefix}/data/${key}`)
  const check = (storage: PthStorage) => checkStored(storage, storageEntry(storage.key))
  const root = readPickle(source, () => {
    const pickle = small('data.pkl', MAX_PICKLE_BYTES)!
    const budget = pickleBudget(pickle.length, source.size)
    return unpickle(pickle, torchMeaning(check, budget), budget).value
  })
  return { root, read: (tensor) => readTensor(source, storageEntry(tensor.storage.key)!.offset, tensor) }
}

/** The one folder of the archive that holds data.pkl. */
function folderOf(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>): string {
  const folders = [...entries.keys()].flatMap((name) => /^([^/]+)\/data\.pkl$/.exec(name)?.[1] ?? [])
  if (folders.length === 1) return folders[0]!
  throw new CheckpointError(
    source.name,
    `is a zip archive with ${folders.length} files data.pkl, not one of torch.save`,
    {
      hint: CONVERT_HINT,
    },
  )
}

function checkStored({ dtype, key, elements }: PthStorage, entry: ZipEntry | undefined): void {
  if (!entry) throw new RangeError(`there is no storage ${quoted(key)}`)
  if (dtype !== null && entry.size !== elements * itemBytes(dtype))
    throw new RangeError(
      `storage ${quoted(key)} has ${entry.size} bytes, not ${elements} elements of ${dtype}`,
    )
}
