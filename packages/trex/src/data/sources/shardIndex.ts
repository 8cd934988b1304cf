import { extname } from 'node:path'
import { TrexError } from '../../errors.js'
import { hiddenPart } from './hidden.js'
import { IMAGE_EXTENSIONS } from './imageFolder.js'
import { type RawLabel, readCls, readJsonLabel } from './shardLabel.js'
import type { TarEntry } from './tarParser.js'

/** An image or a label file in a shard. */
export interface ShardMember {
  readonly kind: 'image' | 'cls' | 'json'
  readonly name: string
  readonly offset: number
  /** Bytes. */
  readonly size: number
  /** Why it cannot be used. */
  readonly problem?: string
  /** Its name has a problem, so that it says nothing of class or key. */
  readonly badName?: boolean
  /** What a label file says; null where it says none. */
  readonly label?: RawLabel | null
}

/** What a shard holds; plain data, so that it can be kept in a file. */
export interface ShardIndex {
  readonly members: ShardMember[]
  /** The folders in it, sorted. */
  readonly folders: string[]
  /** What was left out, by kind, and how many. */
  readonly ignored: Record<string, number>
}

/** Collects the members of one archive. */
export interface ShardIndexer {
  wants(name: string, size: number): boolean
  add(entry: TarEntry): void
  /** The index; `isSame` says whether two members of one size hold the same bytes. Rejects with TrexError. */
  finish(isSame: (a: TarEntry, b: TarEntry) => boolean | Promise<boolean>): Promise<ShardIndex>
}

const MAX_CLS_BYTES = 4096
const MAX_JSON_BYTES = 2 ** 20
const MAX_IMAGE_BYTES = 2 ** 30

/**
 * An indexer of the archive that messages call `archive`. Hidden members are left out and counted, as in a folder. An image that is a link, sparse, below a link or badly named stays, with its problem. Two members
 * of one name that differ are an error: which of them counts would depend on the program that unpacks.
 */
export function createShardIndexer(archive: string): ShardIndexer {
  const members: ShardMember[] = []
  const folders = new Set<string>()
  const ignored: Record<string, number> = {}
  const hidden = new Set<string>()
  const named = new Map<string, TarEntry>()
  const twins: [TarEntry, TarEntry][] = []
  const ignore = (kind: string) => {
    ignored[kind] = (ignored[kind] ?? 0) + 1
  }

  /** Whether the entry is the first of its name. */
  function isFirst(entry: TarEntry): boolean {
    const other = named.get(entry.name)
    if (other === undefined) {
      const { content: _, ...kept } = entry
      named.set(entry.name, kept)
      return true
    }
    if (other.type !== entry.type || other.size !== entry.size) throw differ(archive, other, entry)
    if (entry.size > 0) twins.push([other, entry])
    ignore('repeated member')
    return false
  }

  return {
    wants(name, size) {
      const kind = kindOf(name)
      return (kind === 'cls' && size <= MAX_CLS_BYTES) || (kind === 'json' && size <= MAX_JSON_BYTES)
    },
    add(entry) {
      const { name, type, offset, size, problem, badName } = entry
      const kind = kindOf(name)
      if (badName) {
        const shown = { name, offset, size, badName, problem: problem! }
        return kind === 'image'
          ? void members.push({ kind, ...shown })
          : ignore('member with an unusable name')
      }
      const unseen = hiddenPart(name)
      if (unseen !== null) return void hidden.add(unseen)
      if (type === 'folder') return void (name !== '' && folders.add(name))
      if (!isFirst(entry)) return
      folders.add(name.slice(0, Math.max(name.lastIndexOf('/'), 0)))
      if (kind === null) return ignore(type === 'file' && !problem ? extname(name).toLowerCase() : type)
      const member = { kind, name, offset, size, ...(problem ? { problem } : {}) }
      if (kind === 'image' && size > MAX_IMAGE_BYTES) {
        members.push({ ...member, problem: `it has ${size.toLocaleString('en')} bytes` })
      } else if (kind === 'image' || problem) members.push(member)
      else if (!entry.content) members.push({ ...member, problem: 'it is too large for a label' })
      else {
        const label = kind === 'cls' ? readCls(entry.content) : readJsonLabel(entry.content)
        members.push({ ...member, label })
      }
    },
    async finish(isSame) {
      for (const [a, b] of twins) if (!(await isSame(a, b))) throw differ(archive, a, b)
      folders.delete('')
      if (hidden.size > 0) ignored.hidden = hidden.size
      const below = belowNoFolder(named)
      const checked = members.map((member) => {
        const above = member.problem ? null : below(member.name)
        if (above === null) return member
        const what = named.get(above)!.type === 'link' ? 'a link' : 'no folder'
        return { ...member, problem: `it lies below ${above}, which is ${what}` }
      })
      return { members: checked, folders: [...folders].sort(), ignored }
    },
  }
}

function differ(archive: string, a: TarEntry, b: TarEntry): TrexError {
  const at = [a, b].map(({ offset }) => offset.toLocaleString('en')).join(' and ')
  return new TrexError(`${archive} has two members called ${a.name} that differ, at bytes ${at}`, {
    hint: 'pack the archive again with one of them (tar -r and -u append a second one)',
  })
}

function kindOf(name: string): ShardMember['kind'] | null {
  if (IMAGE_EXTENSIONS.includes(extname(name).toLowerCase())) return 'image'
  const end = wdsExtension(name)
  return end === 'cls' || end === 'json' ? end : null
}

/** A sample's key: the name up to the first dot of its last part. Source: the WebDataset format, "File Format". */
export function wdsKey(name: string): string {
  const base = name.lastIndexOf('/') + 1
  const dot = name.indexOf('.', base)
  return dot === -1 ? name : name.slice(0, dot)
}

/** What follows the key, without the dot, in lower case. */
export const wdsExtension = (name: string): string => name.slice(wdsKey(name).length + 1).toLowerCase()

/** For a member's name the first part of its path that a member has which is no folder, or null. */
function belowNoFolder(named: Map<string, TarEntry>): (name: string) => string | null {
  const known = new Map<string, string | null>([['', null]])
  const ofFolder = (folder: string): string | null => {
    const found = known.get(folder)
    if (found !== undefined) return found
    const above = ofFolder(folder.slice(0, Math.max(folder.lastIndexOf('/'), 0)))
    const answer = above ?? (named.has(folder) ? folder : null)
    known.set(folder, answer)
    return answer
  }
  return (name) => ofFolder(name.slice(0, Math.max(name.lastIndexOf('/'), 0)))
}
