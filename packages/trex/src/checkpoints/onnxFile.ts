import { ITEM_SIZES, type RawDtype } from 'trex-torch/safetensors-format'
import type { ByteSource } from './byteSource.js'
import type { Checkpoint, StoredTensor } from './checkpoint.js'
import { CheckpointError } from './checkpointError.js'
import { type ProtoField, type ProtoReader, protoReader } from './protobuf.js'
import { quoted } from './quoted.js'
import { type BranchNode, lineOf, networkTree, textBranches } from './tree.js'

// Field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto (ModelProto, GraphProto, TensorProto). Only what
// they say is read, not what is in the weights, so that a file of any size is opened in little memory.

const MOST_TENSORS = 1 << 16
/** Kinds of nodes that are counted apart. */
const MOST_KINDS = 500
const SHOWN_KINDS = 12
const MOST_DIMS = 64

const DTYPES: Readonly<Record<number, RawDtype>> = {
  ...{ 1: 'F32', 2: 'U8', 3: 'I8', 4: 'U16', 5: 'I16', 6: 'I32', 7: 'I64', 9: 'BOOL', 10: 'F16', 11: 'F64' },
  ...{ 12: 'U32', 13: 'U64', 16: 'BF16', 17: 'F8_E4M3', 19: 'F8_E5M2' },
}

interface Stored extends StoredTensor {
  readonly begin: number
  readonly end: number
}

interface Graph {
  readonly tensors: Map<string, Stored>
  /** Names of weights that are not in the file, or not as plain bytes, and why. */
  readonly unread: Record<string, string>
  readonly nodes: Map<string, number>
}

/**
 * Opens an ONNX file: its weights are the network, its metadata the texts. The graph is not run and not checked.
 * @throws CheckpointError when it is damaged or no ONNX.
 */
export function openOnnx(source: ByteSource): Checkpoint {
  const { name, size } = source
  const metadata: Record<string, string> = Object.create(null)
  const about: Record<string, string> = Object.create(null)
  const graph: Graph = { tensors: new Map(), unread: Object.create(null), nodes: new Map() }
  try {
    readModel(protoReader(source), size, { metadata, about, graph })
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new CheckpointError(name, `is no ONNX file, or is damaged: ${cause.message}`, {
      cause,
      hint: 'Export or download it again.',
    })
  }
  const { tensors } = graph
  const network = {
    path: '',
    tensors,
    read(tensor: string) {
      const { dtype, shape, begin, end } = tensors.get(tensor)!
      return { dtype, shape, data: source.read(begin, end - begin) }
    },
  }
  return {
    ...{ name, size, format: 'onnx', metadata, networks: tensors.size ? [network] : [] },
    tree: () => treeOf(graph, metadata, about),
  }
}

interface Parts {
  readonly metadata: Record<string, string>
  readonly about: Record<string, string>
  readonly graph: Graph
}

function readModel(reader: ProtoReader, size: number, { metadata, about, graph }: Parts): void {
  let graphs = 0
  for (const part of reader.fields(0, size)) {
    const { field, wire, value, begin, end } = part
    if (field === 1 && wire === 0) about.ir_version = `${value}`
    else if ((field === 2 || field === 3) && wire === 2)
      about[field === 2 ? 'producer_name' : 'producer_version'] = reader.text(part)
    else if (field === 7 && wire === 2) {
      if (++graphs > 1) throw new RangeError('it has two graphs')
      readGraph(reader, begin, end, graph)
    } else if (field === 8 && wire === 2) {
      const { domain = '', version } = opset(reader, begin, end)
      if (domain === '') about.opset = version ?? ''
    } else if (field === 14 && wire === 2) {
      const [key, text] = pair(reader, begin, end)
      if (key in metadata) throw new RangeError(`metadata ${quoted(key)} is given twice`)
      metadata[key] = text
    }
  }
  if (graphs === 0 || about.ir_version === undefined) throw new RangeError('it has no graph')
}

function opset(reader: ProtoReader, begin: number, end: number): { domain?: string; version?: string } {
  const found: { domain?: string; version?: string } = {}
  for (const part of reader.fields(begin, end)) {
    if (part.field === 1 && part.wire === 2) found.domain = reader.text(part)
    if (part.field === 2 && part.wire === 0) found.version = `${part.value}`
  }
  return found
}

function pair(reader: ProtoReader, begin: number, end: number): [key: string, value: string] {
  const texts: [string, string] = ['', '']
  for (const part of reader.fields(begin, end))
    if (part.wire === 2 && (part.field === 1 || part.field === 2)) texts[part.field - 1] = reader.text(part)
  return texts
}

function readGraph(reader: ProtoReader, begin: number, end: number, { tensors, unread, nodes }: Graph): void {
  let count = 0
  for (const { field, wire, ...place } of reader.fields(begin, end)) {
    if (wire !== 2) continue
    if (field === 1) {
      const kind = nodeKind(reader, place.begin, place.end)
      if (nodes.size < MOST_KINDS || nodes.has(kind)) nodes.set(kind, (nodes.get(kind) ?? 0) + 1)
    } else if (field === 5) {
      const { name, tensor } = readTensor(reader, place.begin, place.end)
      if (tensors.has(name) || name in unread) throw new RangeError(`weights ${quoted(name)} are given twice`)
      if (++count > MOST_TENSORS) throw new RangeError(`it has more than ${MOST_TENSORS} weights`)
      if (typeof tensor === 'string') unread[name] = tensor
      else tensors.set(name, tensor)
    }
  }
}

function nodeKind(reader: ProtoReader, begin: number, end: number): string {
  for (const part of reader.fields(begin, end))
    if (part.field === 4 && part.wire === 2) return reader.text(part)
  return ''
}

const EXTERNAL = 14
/** Fields of a tensor with its elements as they lie in memory: floats, doubles, and any as bytes. */
const ELEMENTS = new Set([4, 9, 10])

function readTensor(
  reader: ProtoReader,
  begin: number,
  end: number,
): { name: string; tensor: Stored | string } {
  const shape: number[] = []
  let [name, type, external, filled] = ['', 0, false, 0]
  let data: ProtoField | undefined
  for (const part of reader.fields(begin, end)) {
    const { field, wire, value } = part
    if (field === 1) shape.push(...dimsIn(reader, part))
    else if (field === 2 && wire === 0) type = value
    else if (field === 8 && wire === 2) name = reader.text(part)
    else if (field === EXTERNAL && wire === 0) external = value === 1
    else if (field >= 4 && field <= 11 && field !== 8) {
      filled++
      if (wire === 2 && ELEMENTS.has(field)) data = part
    }
    if (shape.length > MOST_DIMS) throw new RangeError(`weights ${quoted(name)} have too many dimensions`)
  }
  const dtype = DTYPES[type]
  if (external) return { name, tensor: 'weights in another file' }
  if (!dtype) return { name, tensor: 'elements of a type that is not read' }
  const bytes = shape.reduce((product, length) => product * length, ITEM_SIZES[dtype])
  if (bytes === 0 && filled === 0) return { name, tensor: { dtype, shape, begin: 0, end: 0 } }
  if (!data || filled > 1) return { name, tensor: `${dtype} of [${shape}], not written as plain bytes` }
  if (data.end - data.begin !== bytes)
    throw new RangeError(
      `weights ${quoted(name)} are [${shape}] of ${dtype}, which take ${bytes} bytes, and have ${data.end - data.begin}`,
    )
  return { name, tensor: { dtype, shape, begin: data.begin, end: data.end } }
}

/** Sizes, one or several packed into bytes. */
function dimsIn(reader: ProtoReader, part: ProtoField): number[] {
  const sizes = part.wire === 0 ? [part.value] : part.wire === 2 ? reader.numbers(part, MOST_DIMS) : []
  if (!sizes.every((size) => Number.isSafeInteger(size)))
    throw new RangeError('weights have sizes that are no counts')
  return sizes
}

function treeOf(
  { tensors, unread, nodes }: Graph,
  metadata: Record<string, string>,
  about: Record<string, string>,
): BranchNode {
  const kinds = [...nodes].sort((a, b) => b[1] - a[1]).slice(0, SHOWN_KINDS)
  const count = [...nodes.values()].reduce((sum, n) => sum + n, 0)
  const shown = kinds.map(([kind, n]) => `${lineOf(kind)} ${n}`).join(', ')
  const more = nodes.size > kinds.length ? ', ...' : ''
  const entries: BranchNode['entries'] = [
    ...Object.entries(about).map(([key, value]) => [key, { kind: 'value', text: lineOf(value) }] as const),
    ['nodes', { kind: 'value', text: `${count}: ${shown}${more}` }],
    ['weights', networkTree(tensors)],
    ...textBranches({ metadata, 'not read': unread }),
  ]
  return { kind: 'branch', type: 'ONNX', entries, more: 0 }
}
