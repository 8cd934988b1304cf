import { TrexError } from '../../errors.js'
import { notATar } from './tarContent.js'
import { hasTarMark, parseTarHeader, TAR_BLOCK, TarFault, type TarHeader } from './tarHeader.js'
import { readTarName } from './tarName.js'
import { isSparsePax, type PaxRecords, parsePax, paxSize } from './tarPax.js'

/** A member of an archive. */
export interface TarEntry {
  /** Its checked name, '/' between its parts; where that has a problem, in a form that can be shown. */
  readonly name: string
  readonly type: 'file' | 'folder' | 'link' | 'special'
  /** Where its data starts in the archive, in bytes. */
  readonly offset: number
  /** Bytes of data. */
  readonly size: number
  /** Why it is not used; the name is a checked one unless `badName` is set. */
  readonly problem?: string
  readonly badName?: boolean
  /** Its data, if the parser was asked for it. */
  readonly content?: Uint8Array
}

/** A parser's wish for bytes; fewer are given only at the archive's end. */
export interface TarRead {
  readonly at: number
  readonly length: number
}

/** How an archive is parsed. */
export interface TarParseOptions {
  /** What messages call the archive. */
  readonly archive: string
  /** The archive's bytes, once known. */
  length(): number | null
  /** Whether a member's data is wanted with it. */
  wants?(name: string, size: number): boolean
}

const MAX_METADATA = 2 ** 20
const MAX_MEMBERS = 5_000_000
const MAX_PADDING = 2 ** 24
const PIECE = 2 ** 16
const DAMAGED = 'fetch the archive again, or pack it again'
const LINKS: Record<string, string> = { '1': 'a hard link', '2': 'a symbolic link' }
const SPECIAL: Record<string, string> = { '3': 'a device', '4': 'a device', '6': 'a FIFO' }
const WITHOUT_DATA = '123456'

interface Metadata {
  pax?: PaxRecords
  longName?: Uint8Array
}

/**
 * Parses an archive front to back without reading files itself: it yields members and wishes for bytes, so that files
 * and network streams share it. Data is skipped; nothing is unpacked, no link followed. Throws TrexError naming
 * archive and byte where the archive contradicts itself; a member that only must not be used has a `problem`.
 */
export function* parseTar(options: TarParseOptions): Generator<TarRead | TarEntry, void, Uint8Array> {
  const { archive, length } = options
  let at = 0
  let last = 'nothing'
  let lastEnd = 0
  let members = 0
  let metadata: Metadata = {}
  const damaged = (what: string, byte: number, hint = DAMAGED) =>
    new TrexError(`${archive} is damaged: ${what} at byte ${byte.toLocaleString('en')}`, { hint })

  function* read(from: number, bytes: number, what: string): Generator<TarRead, Uint8Array, Uint8Array> {
    const data = yield { at: from, length: bytes }
    if (data.length === bytes) return data
    throw damaged(`it ends inside ${what}`, length() ?? from + data.length)
  }

  while (true) {
    const block = yield { at, length: TAR_BLOCK }
    const end = length()
    if (at === 0 && block.length < TAR_BLOCK) throw notATar(archive, block)
    if (end !== null && end < lastEnd) throw damaged(`it ends inside the data of ${last}`, end)
    if (block.length === 0) {
      const what = `it ends after ${last} without the mark of an archive's end`
      const hint = `fetch it again; if it is known to be complete, add the mark: head -c 1024 /dev/zero >> ARCHIVE`
      throw damaged(what, end ?? at, hint)
    }
    if (block.length < TAR_BLOCK) throw damaged('it ends inside a header', end ?? at + block.length)
    try {
      const header = parseTarHeader(block)
      if (header === null) {
        if (hasAny(metadata)) throw new TarFault('the end follows an extended header')
        yield* checkEnd(at + TAR_BLOCK)
        return
      }
      if ('LKxXg'.includes(header.type)) {
        if (header.size > MAX_METADATA) throw new TarFault('an extended header of more than 1 MiB')
        const data = yield* read(at + TAR_BLOCK, header.size, 'an extended header')
        metadata = addMetadata(metadata, header.type, data)
        at += TAR_BLOCK + padded(header.size)
        continue
      }
      let start = at + TAR_BLOCK
      for (let mapGoesOn = header.type === 'S' && header.mapGoesOn; mapGoesOn; start += TAR_BLOCK) {
        mapGoesOn = (yield* read(start, TAR_BLOCK, 'the map of a sparse member'))[504] !== 0
      }
      const entry = entryOf(header, metadata, start)
      const dataEnd = start + entry.size
      if (dataEnd > Number.MAX_SAFE_INTEGER) throw new TarFault(`${entry.name} with an absurd size`)
      if (end !== null && dataEnd > end) {
        const size = entry.size.toLocaleString('en')
        throw damaged(`${entry.name} has ${size} bytes by its header, but the archive ends`, end)
      }
      const wanted = entry.type === 'file' && !entry.problem && options.wants?.(entry.name, entry.size)
      const content = wanted ? yield* read(start, entry.size, entry.name) : undefined
      yield content ? { ...entry, content: new Uint8Array(content) } : entry
      if (++members > MAX_MEMBERS) throw new TarFault(`more than ${MAX_MEMBERS.toLocaleString('en')} members`)
      last = entry.name
      lastEnd = dataEnd
      at = start + padded(entry.size)
      metadata = {}
    } catch (error) {
      if (!(error instanceof TarFault)) throw error
      if (at === 0 && !hasTarMark(block)) throw notATar(archive, block)
      throw damaged(error.message, at)
    }
  }

  /** After the end there are zeros at most: anything else would be lost without a word. */
  function* checkEnd(from: number): Generator<TarRead, void, Uint8Array> {
    for (let place = from; ; place += PIECE) {
      const piece = yield { at: place, length: PIECE }
      const byte = piece.findIndex((value) => value !== 0)
      if (byte >= 0 || place - from > MAX_PADDING) {
        const hint =
          'two archives one after the other? join them with tar --concatenate, or name them as two shards'
        throw damaged('there is more after the mark of its end,', place + Math.max(byte, 0), hint)
      }
      if (piece.length < PIECE) return
    }
  }
}

const padded = (size: number) => Math.ceil(size / TAR_BLOCK) * TAR_BLOCK
const hasAny = ({ pax, longName }: Metadata) => pax !== undefined || longName !== undefined

function addMetadata(metadata: Metadata, type: string, data: Uint8Array): Metadata {
  if (type === 'K') return metadata
  if (type === 'L') {
    if (metadata.longName) throw new TarFault('two long names for one member')
    const end = data.findLastIndex((byte) => byte !== 0) + 1
    return { ...metadata, longName: new Uint8Array(data.subarray(0, end)) }
  }
  const pax = parsePax(data)
  if (type === 'g') {
    const key = [...pax.keys()].find(
      (k) => ['path', 'size', 'linkpath'].includes(k) || k.startsWith('GNU.sparse.'),
    )
    if (key !== undefined) throw new TarFault(`a global header that sets the ${key} of all members`)
    return metadata
  }
  if (metadata.pax) throw new TarFault('two extended headers for one member')
  return { ...metadata, pax }
}

function entryOf(header: TarHeader, { pax, longName }: Metadata, offset: number): TarEntry {
  const sparse = header.type === 'S' || (pax !== undefined && isSparsePax(pax))
  const bytes = (sparse && pax?.get('GNU.sparse.name')) || (pax?.get('path') ?? longName ?? header.name)
  const { name, problem: nameProblem } = readTarName(bytes)
  const paxSized = pax?.get('size')
  const size = paxSized ? paxSize(paxSized) : header.size
  const isFolder = header.type === '5' || ('07'.includes(header.type) && bytes.at(-1) === 0x2f)
  if (size > 0 && (isFolder || WITHOUT_DATA.includes(header.type))) {
    throw new TarFault(`${name}, which is no file, with ${size} bytes of data`)
  }
  const what = { name, offset, size }
  if (nameProblem)
    return { ...what, type: typeOf(header.type, isFolder), problem: nameProblem, badName: true }
  if (isFolder) return { ...what, type: 'folder' }
  const kind = sparse ? 'a sparse file' : (LINKS[header.type] ?? SPECIAL[header.type])
  if (kind) return { ...what, type: typeOf(header.type, false), problem: `it is ${kind} in the archive` }
  if (!'07'.includes(header.type)) {
    const shown = JSON.stringify(header.type)
    return { ...what, type: 'special', problem: `it is of the unknown kind ${shown} in the archive` }
  }
  if (name === '')
    return { ...what, name: '(no name)', type: 'file', problem: 'its name is empty', badName: true }
  return { ...what, type: 'file' }
}

function typeOf(flag: string, isFolder: boolean): TarEntry['type'] {
  if (isFolder) return 'folder'
  return '07'.includes(flag) ? 'file' : flag in LINKS ? 'link' : 'special'
}
