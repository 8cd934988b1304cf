import type { ProtoField, ProtoReader } from '../checkpoints/protobuf.js'
import { quoted } from '../checkpoints/quoted.js'

/** An input or an output of a graph. */
export interface GraphValue {
  readonly name: string
  /** The number in TensorProto.DataType: 1 float32, 10 float16; 0: it is no tensor. */
  readonly type: number
  /** Lengths, or names of those that are free; undefined: nothing is said. */
  readonly dims: readonly (number | string)[] | undefined
}

/** What a model's graphs tell. */
export interface ModelScan {
  readonly opset: number
  readonly inputs: readonly GraphValue[]
  readonly outputs: readonly GraphValue[]
  readonly operators: ReadonlyMap<string, number>
}

const MOST_DIMS = 64
const MOST_VALUES = 1 << 16
/** Kinds of operators, of which ONNX has 200. */
const MOST_KINDS = 4096
/** Graphs in attributes of graphs: loops in loops. */
const DEEPEST = 8

/** Walks through all of a ModelProto. @throws RangeError that tells what is wrong with it. */
export function scanModel(reader: ProtoReader, size: number): ModelScan {
  const operators = new Map<string, number>()
  const [inputs, outputs]: [GraphValue[], GraphValue[]] = [[], []]
  let opset = 0

  const graph = (message: ProtoField, depth: number): void => {
    if (depth > DEEPEST) throw new RangeError(`its graphs are nested deeper than ${DEEPEST}`)
    for (const part of inside(reader, message)) {
      if (part.field === 1) node(part, depth)
      else if (part.field === 5) requireInside(reader, part)
      else if (part.field === 15) sparse(part)
      else if (depth === 0 && (part.field === 11 || part.field === 12)) {
        const values = part.field === 11 ? inputs : outputs
        if (values.push(readValue(reader, part)) > MOST_VALUES)
          throw new RangeError(`it has more than ${MOST_VALUES} inputs or outputs`)
      }
    }
  }
  const node = (message: ProtoField, depth: number): void => {
    let [type, domain] = ['', '']
    for (const part of inside(reader, message)) {
      if (part.field === 4) type = reader.text(part)
      else if (part.field === 7) domain = reader.text(part)
      else if (part.field === 5) attribute(part, depth)
    }
    const name = isOwn(domain) ? type : `${domain}.${type}`
    operators.set(name, (operators.get(name) ?? 0) + 1)
    if (operators.size > MOST_KINDS) throw new RangeError(`it has more than ${MOST_KINDS} kinds of operators`)
  }
  const attribute = (message: ProtoField, depth: number): void => {
    for (const part of inside(reader, message)) {
      if (part.field === 5 || part.field === 10) requireInside(reader, part)
      else if (part.field === 6 || part.field === 11) graph(part, depth + 1)
      else if (part.field === 22 || part.field === 23) sparse(part)
    }
  }
  const sparse = (message: ProtoField): void => {
    for (const part of inside(reader, message)) if (part.field <= 2) requireInside(reader, part)
  }

  for (const part of reader.fields(0, size)) {
    if (part.field === 7) graph(part, 0)
    else if (part.field === 8) opset = ownVersion(reader, part) ?? opset
    else if (part.field === 20) throw new RangeError('it has graphs for training')
    else if (part.field === 25)
      for (const inner of inside(reader, part)) {
        if (inner.field === 7) node(inner, 0)
        else if (inner.field === 11) attribute(inner, 0) // defaults
      }
  }
  return { opset, inputs, outputs, operators }
}

const isOwn = (domain: string) => domain === '' || domain === 'ai.onnx'

function inside(reader: ProtoReader, { field, wire, begin, end }: ProtoField): Iterable<ProtoField> {
  if (wire !== 2) throw new RangeError(`field ${field} before byte ${end} is no message`)
  return reader.fields(begin, end)
}

/** @throws RangeError when the elements of a TensorProto are in another file. */
function requireInside(reader: ProtoReader, tensor: ProtoField): void {
  let [name, place, external] = ['', '', false]
  for (const part of inside(reader, tensor)) {
    if (part.field === 8) name = reader.text(part)
    else if (part.field === 13) {
      external = true
      place ||= location(reader, part)
    } else if (part.field === 14 && part.value !== 0) external = true
  }
  if (external) throw new RangeError(`it keeps tensor ${quoted(name)} in another file${place}`)
}

/** What an entry of external_data says of the place. */
function location(reader: ProtoReader, entry: ProtoField): string {
  let [key, value] = ['', '']
  for (const part of inside(reader, entry)) {
    if (part.field === 1) key = reader.text(part)
    if (part.field === 2) value = reader.text(part)
  }
  return key === 'location' ? `, ${quoted(value)}` : ''
}

/** The version of an OperatorSetIdProto, when it is of ONNX's own operators. */
function ownVersion(reader: ProtoReader, set: ProtoField): number | undefined {
  let [domain, version] = ['', 0]
  for (const part of inside(reader, set)) {
    if (part.field === 1) domain = reader.text(part)
    if (part.field === 2) version = part.value
  }
  return isOwn(domain) ? version : undefined
}

function readValue(reader: ProtoReader, value: ProtoField): GraphValue {
  let [name, type, dims] = ['', 0, undefined as GraphValue['dims']]
  for (const part of inside(reader, value)) {
    if (part.field === 1) name = reader.text(part)
    if (part.field !== 2) continue
    for (const tensor of inside(reader, part)) {
      if (tensor.field !== 1) continue // a sequence, a map
      for (const about of inside(reader, tensor)) {
        if (about.field === 1) type = about.value
        if (about.field === 2) dims = dimensions(reader, about)
      }
    }
  }
  return { name, type, dims }
}

function dimensions(reader: ProtoReader, shape: ProtoField): (number | string)[] {
  const dims: (number | string)[] = []
  for (const dimension of inside(reader, shape)) {
    if (dims.push('') > MOST_DIMS) throw new RangeError(`it has a value of more than ${MOST_DIMS} dimensions`)
    for (const part of inside(reader, dimension)) {
      if (part.field === 1) dims[dims.length - 1] = part.value
      if (part.field === 2) dims[dims.length - 1] = reader.text(part)
    }
  }
  return dims
}
