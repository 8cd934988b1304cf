import { toFloat16 } from './float16.js'

/** Element types of what is written here, with their numbers in ONNX's TensorProto.DataType. */
export const elementTypes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, float16: 10 } as const
export type ElementType = keyof typeof elementTypes

/** Bytes of an element. */
export const elementBytes: Record<ElementType, number> = {
  ...{ float32: 4, uint8: 1, int8: 1, int32: 4, int64: 8, float16: 2 },
}

/** An attribute's value: integers as they are, a float marked as one. */
export type Attribute = number | readonly number[] | { readonly float: number }

/** One operation. */
export interface OnnxNode {
  readonly name: string
  readonly op: string
  /** Names of values; an optional one that is left out is the empty string. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

/** A constant; its elements are made when they are written, so that one tensor at a time is in memory. */
export interface Initializer {
  readonly type: ElementType
  readonly dims: readonly number[]
  /** The elements, row by row. */
  elements(): ArrayBufferView
}

/** An input or an output; a dimension with a name is free, without dimensions all are. */
export interface ValueInfo {
  readonly name: string
  readonly type: ElementType
  readonly dims?: readonly (number | string)[]
}

/** A graph in the order of its computation. */
export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[]
  readonly initializers: ReadonlyMap<string, Initializer>
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
}

/** A graph in the making: every function returns the name of the value it adds. */
export interface GraphDraft {
  /** An operation of one result, which has the operation's name. */
  node(name: string, op: string, inputs: readonly string[], attributes?: OnnxNode['attributes']): string
  /** An operation of several results, `name.0`, `name.1`, ... */
  split(name: string, inputs: readonly string[], count: number, attributes: OnnxNode['attributes']): string[]
  /** A constant in the precision of the graph. */
  weight(name: string, dims: readonly number[], values: () => Float32Array): string
  /** A constant in float32 in any graph. */
  float32(name: string, dims: readonly number[], values: () => Float32Array): string
  /** Whole numbers, such as shapes. */
  integers(name: string, values: number | readonly number[]): string
  /** A value in another element type; the same where that is the graph's own. */
  cast(value: string, type: 'float32' | 'graph'): string
  finish(inputs: readonly ValueInfo[], outputs: readonly ValueInfo[]): OnnxGraph
}

/** A float32 value [N, width]. */
export interface Vectors {
  readonly name: string
  readonly width: number
}

/** Values of an encoder's graph, all float32. */
export interface EncoderValues {
  readonly features: Vectors
  /** What the features are pooled from: a ResNet's last map, or a transformer's tokens. */
  readonly hidden: string
  readonly hiddenDims: readonly (number | string)[]
}

/** @param precision of the weights and of what is computed with them */
export function draftGraph(precision: 'float32' | 'float16'): GraphDraft {
  const nodes: OnnxNode[] = []
  const initializers = new Map<string, Initializer>()
  const constant = (name: string, tensor: Initializer) => {
    initializers.set(name, tensor)
    return name
  }
  const node: GraphDraft['node'] = (name, op, inputs, attributes = {}) => {
    nodes.push({ name, op, inputs, outputs: [name], attributes })
    return name
  }
  const float32: GraphDraft['float32'] = (name, dims, elements) =>
    constant(name, { type: 'float32', dims, elements })
  return {
    node,
    float32,
    split: (name, inputs, count, attributes) => {
      const outputs = Array.from({ length: count }, (_, i) => `${name}.${i}`)
      nodes.push({ name, op: 'Split', inputs, outputs, attributes })
      return outputs
    },
    weight: (name, dims, values) =>
      precision === 'float32'
        ? float32(name, dims, values)
        : constant(name, { type: 'float16', dims, elements: () => toFloat16(values()) }),
    integers: (name, values) =>
      constant(name, {
        type: 'int64',
        dims: typeof values === 'number' ? [] : [values.length],
        elements: () => BigInt64Array.from([values].flat(), BigInt),
      }),
    cast: (value, type) => {
      if (precision === 'float32') return value
      const to = elementTypes[type === 'graph' ? precision : type]
      return node(`${value}.${type === 'graph' ? 'half' : 'float'}`, 'Cast', [value], { to })
    },
    finish: (inputs, outputs) => ({ nodes, initializers, inputs, outputs }),
  }
}
