import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What each room may import, besides itself: docs/architecture.md draws the same table. */
const allowed: Record<string, string[]> = {
  torch: [],
  errors: [],
  rng: [],
  settings: ['errors', 'data'],
  method: ['torch', 'errors'],
  data: ['errors', 'rng'],
  checkpoints: ['torch', 'method', 'errors'],
  onnx: ['torch', 'method', 'checkpoints', 'errors'],
  train: ['torch', 'method', 'data', 'checkpoints', 'analysis', 'settings', 'errors'],
  transfer: ['torch', 'method', 'data', 'checkpoints', 'errors', 'rng'],
  deploy: ['torch', 'checkpoints', 'onnx', 'errors'],
  features: ['torch', 'method', 'data', 'checkpoints', 'train', 'transfer', 'errors'],
  embed: ['torch', 'method', 'checkpoints', 'onnx', 'data', 'train', 'settings', 'errors'],
  suite: ['torch', 'train', 'data', 'transfer', 'features', 'errors'],
  analysis: ['torch', 'errors'],
  evaluate: ['torch', 'method', 'data', 'train', 'transfer', 'settings', 'errors'],
  report: ['data', 'errors'],
  demo: ['torch', 'method', 'data', 'train', 'transfer', 'report', 'settings', 'errors', 'rng'],
  cli: [
    ...['torch', 'method', 'data', 'train', 'evaluate', 'transfer', 'features', 'suite', 'demo', 'report'],
    ...['checkpoints', 'onnx', 'deploy', 'embed', 'settings', 'errors'],
  ],
}
/** Files directly in src/ and the room they make up. */
const looseFiles: Record<string, string> = {
  config: 'settings',
  settings: 'settings',
  settingsSchema: 'settings',
  recipes: 'settings',
  suggest: 'errors',
  errors: 'errors',
  rng: 'rng',
  web: 'embed',
}

interface Import {
  from: string
  to: string
  typeOnly: boolean
  /** `import('...')`: loaded when it is asked for. */
  lazy: boolean
}

const sources = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join(root, folder, name))

const files = [...sources('packages/torch/src'), ...sources('packages/trex/src')]

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8')
  const pattern = /(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'|import\('([^']+)'\)/g
  return [...text.matchAll(pattern)].map(([, type, named, lazy]) => {
    const format = join(root, 'packages/torch/src/safetensorsFormat.js')
    const target = named ?? lazy
    const path = target === 'trex-torch/safetensors-format' ? format : target!
    const to = /^[./]/.test(path) ? resolve(dirname(file), path.replace(/\.js$/, '.ts')) : path
    return { from: file, to, typeOnly: type !== undefined, lazy: lazy !== undefined }
  })
}

function roomOf(target: string): string | null {
  if (target.startsWith('trex-torch')) return 'torch'
  const path = relative(root, target)
  if (path.startsWith('packages/torch/src')) return 'torch'
  const inside = /^packages\/trex\/src\/(?:([a-z]+)\/|([a-z]+)\.ts$)/i.exec(path)
  if (!inside) return null
  return inside[1] ?? looseFiles[inside[2]!] ?? `src/${inside[2]}.ts`
}

const all = files.flatMap(importsOf)

describe('rooms', () => {
  test('import only what the table allows', () => {
    const strays = all.flatMap(({ from, to }) => {
      const [a, b] = [roomOf(from), roomOf(to)]
      if (a === null || b === null || a === b || a === 'src/index.ts') return []
      return allowed[a]?.includes(b)
        ? []
        : [`${a} -> ${b}: ${relative(root, from)} imports ${relative(root, to)}`]
    })
    expect(strays).toEqual([])
  })

  test('have an entry in the table each', () => {
    const rooms = new Set(files.map(roomOf).filter((room) => room !== 'src/index.ts'))
    expect([...rooms].filter((room) => room === null || !(room in allowed))).toEqual([])
  })

  test.each([
    ['data/pixels/index.ts', 'fast/wasmBytes.ts'],
    ['checkpoints/index.ts', 'torch/src/safetensorsJson.ts'],
    ['web.ts', 'embed/preprocess.ts'],
  ])('do not use torch, sharp or the addon where a browser imports them: %s', (entry, last) => {
    const reached = new Set<string>()
    const visit = (file: string) => {
      if (reached.has(file)) return
      reached.add(file)
      for (const { to, typeOnly } of all.filter(({ from }) => from === file)) if (!typeOnly) visit(to)
    }
    visit(join(root, 'packages/trex/src', entry))
    expect([...reached].some((file) => file.endsWith(last))).toBe(true)
    const native = [...reached].filter((target) => /^(node:|sharp|trex-torch)/.test(target))
    expect(native).toEqual([])
  })

  test('read weights without libtorch, and from any bytes', () => {
    const reader = all.filter(({ from }) => roomOf(from) === 'checkpoints')
    const torch = reader.filter(({ to, typeOnly }) => roomOf(to) === 'torch' && !typeOnly)
    expect(new Set(torch.map(({ to }) => relative(root, to)))).toEqual(
      new Set(['packages/torch/src/safetensorsFormat.ts']),
    )
    const node = reader.filter(({ to }) => to.startsWith('node:')).map(({ from }) => relative(root, from))
    const writers = ['fileSource', 'zipWrite'].map((name) => `packages/trex/src/checkpoints/${name}.ts`)
    expect(new Set(node)).toEqual(new Set(writers))
  })

  test('embed with ONNX Runtime unless libtorch is asked for', () => {
    const engine = 'packages/trex/src/embed/libtorch.ts'
    const used = all.filter(({ from, typeOnly }) => roomOf(from) === 'embed' && !typeOnly)
    const rooms = used.filter(({ to }) => ['torch', 'method'].includes(roomOf(to) ?? ''))
    expect(new Set(rooms.map(({ from }) => relative(root, from)))).toEqual(new Set([engine]))
    const eager = all.filter(({ to, lazy }) => relative(root, to) === engine && !lazy)
    expect(eager).toEqual([])
  })
})

test('no file imports itself through others', () => {
  const edges = new Map<string, string[]>()
  for (const { from, to, typeOnly } of all)
    if (!typeOnly && files.includes(to)) edges.set(from, [...(edges.get(from) ?? []), to])
  const done = new Set<string>()
  const cycles: string[] = []
  const walk = (file: string, path: string[]) => {
    const at = path.indexOf(file)
    if (at >= 0) cycles.push([...path.slice(at), file].map((f) => relative(root, f)).join(' -> '))
    if (at >= 0 || done.has(file)) return
    for (const next of edges.get(file) ?? []) walk(next, [...path, file])
    done.add(file)
  }
  for (const file of files) walk(file, [])
  expect(cycles).toEqual([])
})

test('files stay readable: at most 300 lines', () => {
  const long = files
    .map((file) => [relative(root, file), readFileSync(file, 'utf8').split('\n').length - 1] as const)
    .filter(([, lines]) => lines > 300)
  expect(long).toEqual([])
})
