import type { ElementType, Initializer, OnnxGraph, OnnxNode } from './graph.js'

/** Steps of quantised numbers, value = (integer - zero) * scale: one for all, or one for each channel. */
export interface Steps {
  readonly scale: Float32Array
  readonly zero: Uint8Array | Int8Array | Int32Array
}

/** A graph that is being rewritten. */
export interface GraphEdit {
  readonly nodes: OnnxNode[]
  readonly initializers: Map<string, Initializer>
}

/** Operations that are quantised where their weights are constant, and the dimension of the weights that is their output. */
export const OUTPUT_AXIS: Readonly<Record<string, number>> = { Conv: 0, MatMul: 1 }
/** What stays float32: a transformer's first step takes little time, and costs one or two hundredths of agreement. */
const KEPT = 'patch_embed.proj'

/** Whether a node is quantised. */
export const isLinear = ({ initializers }: OnnxGraph, { name, op, inputs }: OnnxNode): boolean =>
  op in OUTPUT_AXIS && initializers.has(inputs[1]!) && name !== KEPT

/** The name of a value after its way to uint8 and back. */
export const roundedName = (value: string): string => `${value}.rounded`

/** Rounds a value to uint8 and back; `back`: with other steps on the way back, along an axis. */
export function roundTrip(
  edit: GraphEdit,
  value: string,
  steps: Steps,
  back?: { steps: Steps; axis: number },
): void {
  const integers = convert(edit, 'QuantizeLinear', `${value}.uint8`, value, steps, 'uint8')
  dequantize(edit, roundedName(value), integers, back?.steps ?? steps, 'uint8', back?.axis)
}

/** Integers to the values they stand for. */
export function dequantize(
  edit: GraphEdit,
  name: string,
  integers: string,
  steps: Steps,
  type: ElementType,
  axis?: number,
): string {
  return convert(edit, 'DequantizeLinear', name, integers, steps, type, axis)
}

function convert(
  { nodes, initializers }: GraphEdit,
  op: string,
  name: string,
  input: string,
  { scale, zero }: Steps,
  type: ElementType,
  axis?: number,
): string {
  const dims = axis === undefined ? [] : [scale.length]
  const attributes: OnnxNode['attributes'] = axis === undefined ? {} : { axis }
  initializers.set(`${name}.scale`, { type: 'float32', dims, elements: () => scale })
  initializers.set(`${name}.zero`, { type, dims, elements: () => zero })
  nodes.push({ name, op, inputs: [input, `${name}.scale`, `${name}.zero`], outputs: [name], attributes })
  return name
}
