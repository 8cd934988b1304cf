import { existsSync } from 'node:fs'
import { TrexError } from '../../errors.js'
import { isHttp, showUrl, withoutSecrets } from './httpUrl.js'
import { expandBraces } from './shardBraces.js'
import { expandGlob, hasGlob } from './shardGlob.js'

/** The shards of a data set, in the order in which they were named; all are files, or all are on servers. */
export interface ShardList {
  readonly kind: 'files' | 'urls'
  readonly shards: readonly string[]
}

const EXAMPLES = 'for example wds:shards/train-{000..012}.tar or wds:https://host/train-{000..012}.tar'

/**
 * The shards that a text names: paths, patterns (* ? [..]) and http(s) addresses, with ranges {000..012} and lists
 * {a,b}, separated by commas or spaces; a file whose whole path this is stands for itself. Throws TrexError for a
 * pattern without a match, a shard named twice, a mixture of files and addresses, another kind of address.
 */
export async function findShards(spec: string): Promise<ShardList> {
  const text = spec.replace(/^wds:/, '').trim()
  const found: string[] = []
  for (const word of existsSync(text) ? [text] : splitWords(text)) {
    const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(word)?.[1]
    if (scheme && !isHttp(word) && !existsSync(word)) {
      throw new TrexError(`${withoutSecrets(word)} is of a kind that is not read: ${scheme}:`, {
        hint: `give paths or http(s) addresses, ${EXAMPLES}`,
      })
    }
    for (const item of existsSync(word) ? [word] : expandBraces(word)) {
      if (isHttp(item)) found.push(checkUrl(item))
      else if (hasGlob(item) && !existsSync(item)) found.push(...(await expandGlob(item)))
      else found.push(item)
    }
  }
  if (found.length === 0) throw new TrexError('no shards are named', { hint: EXAMPLES })
  const seen = new Set<string>()
  const twice = found.find((shard) => seen.size === seen.add(shard).size)
  if (twice !== undefined) {
    throw new TrexError(`the shard ${showUrl(twice)} is named twice`, { hint: 'name each shard once' })
  }
  const remote = found.filter(isHttp).length
  if (remote > 0 && remote < found.length) {
    throw new TrexError('shards on a server and files cannot be mixed', {
      hint: 'fetch the ones on the server, or put all on one',
    })
  }
  return { kind: remote > 0 ? 'urls' : 'files', shards: found }
}

/** The words of a text that names shards: cut at spaces and at commas outside braces. */
export function splitWords(text: string): string[] {
  const words = ['']
  let depth = 0
  for (const character of text) {
    if (character === '{') depth++
    if (character === '}') depth = Math.max(depth - 1, 0)
    if ((character === ',' && depth === 0) || /\s/.test(character)) words.push('')
    else words[words.length - 1] += character
  }
  return words.filter((word) => word !== '')
}

function checkUrl(text: string): string {
  let url: URL
  try {
    url = new URL(text)
  } catch (cause) {
    throw new TrexError(`${showUrl(text)} is no address`, { hint: EXAMPLES, cause })
  }
  if (url.pathname.includes('*')) {
    throw new TrexError(`${showUrl(text)}: a server cannot be asked which files match a pattern`, {
      hint: 'name the shards by a range: {000..012}',
    })
  }
  return text
}
