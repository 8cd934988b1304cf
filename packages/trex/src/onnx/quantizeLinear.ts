import type { Initializer, OnnxGraph, OnnxNode } from './graph.js'
import {
  dequantize,
  type GraphEdit,
  isLinear,
  OUTPUT_AXIS,
  roundedName,
  roundTrip,
  type Steps,
} from './quantizeSteps.js'

/** Smallest and largest value that are told apart; 0 is between them. */
export interface Range {
  readonly low: number
  readonly high: number
}

/** What convolutions and linear maps read. */
export const linearInputs = (graph: OnnxGraph): string[] => [
  ...new Set(graph.nodes.filter((node) => isLinear(graph, node)).map(({ inputs }) => inputs[0]!)),
]

/**
 * Rounds the weights of convolutions and linear maps to int8, with steps of its own for each output channel, and what
 * they read, where a range is given, to uint8. Runtimes compute what lies between two conversions in integers.
 */
export function quantizeLinear(graph: OnnxGraph, ranges: ReadonlyMap<string, Range>): OnnxGraph {
  const edit: GraphEdit = { nodes: [], initializers: new Map(graph.initializers) }
  const steps = new Map([...ranges].map(([name, range]) => [name, stepsOf(range)]))
  for (const { name } of graph.inputs) if (steps.has(name)) roundTrip(edit, name, steps.get(name)!)
  for (const node of graph.nodes) {
    edit.nodes.push(isLinear(graph, node) ? rounded(edit, graph, node, steps.get(node.inputs[0]!)) : node)
    for (const output of node.outputs) if (steps.has(output)) roundTrip(edit, output, steps.get(output)!)
  }
  return { ...graph, ...edit }
}

function stepsOf({ low, high }: Range): Steps {
  const scale = Math.fround((high - low) / 255) || 1
  return { scale: Float32Array.of(scale), zero: Uint8Array.of(Math.round(-low / scale)) }
}

/** The operation with int8 weights, and where its input has steps on rounded inputs with an int32 bias. */
function rounded(edit: GraphEdit, { initializers }: OnnxGraph, node: OnnxNode, input?: Steps): OnnxNode {
  const [x, weight, bias] = node.inputs as [string, string, string | undefined]
  const axis = OUTPUT_AXIS[node.op]!
  const { steps, integers } = int8Weight(initializers.get(weight)!, axis)
  edit.initializers.delete(weight)
  edit.initializers.set(`${weight}.int8`, integers)
  const inputs = [
    input ? roundedName(x) : x,
    dequantize(edit, weight, `${weight}.int8`, steps, 'int8', axis),
    ...(bias === undefined ? [] : [bias]),
  ]
  if (bias !== undefined && input) {
    const { dims, elements } = initializers.get(bias)!
    const scale = steps.scale.map((value) => value * input.scale[0]!) // that of the products
    const biases = () =>
      Int32Array.from(elements() as Float32Array, (value, i) => Math.round(value / scale[i]!))
    edit.initializers.delete(bias)
    edit.initializers.set(`${bias}.int32`, { type: 'int32', dims, elements: biases })
    dequantize(edit, bias, `${bias}.int32`, { scale, zero: new Int32Array(scale.length) }, 'int32', 0)
  }
  return { ...node, inputs }
}

/** Weights with a step for each place along an axis, of which the largest weight there is 127. */
function int8Weight({ dims, elements }: Initializer, axis: number): { steps: Steps; integers: Initializer } {
  const count = dims[axis]!
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1)
  const channelOf = (i: number) => Math.trunc(i / inner) % count
  const scale = new Float32Array(count)
  for (const [i, value] of (elements() as Float32Array).entries())
    scale[channelOf(i)] = Math.max(scale[channelOf(i)]!, Math.abs(value) / 127)
  for (const [i, step] of scale.entries()) scale[i] = step || 1
  const int8 = () =>
    Int8Array.from(elements() as Float32Array, (value, i) => Math.round(value / scale[channelOf(i)]!))
  return {
    steps: { scale, zero: new Int8Array(count) },
    integers: { type: 'int8', dims, elements: int8 },
  }
}
