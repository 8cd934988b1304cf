import type { OnnxGraph } from './graph.js'
import { isLinear, roundedName, roundTrip } from './quantizeSteps.js'

/** The smallest and largest value of each channel; 0 is between them. */
export interface ChannelRanges {
  readonly low: Float32Array
  readonly high: Float32Array
}

/** What convolutions give to sums [N, C, H, W]. */
export function addendsOf(graph: OnnxGraph): string[] {
  const convs = graph.nodes.filter((node) => node.op === 'Conv' && isLinear(graph, node))
  const names = new Set(convs.map(({ name }) => name))
  return graph.nodes
    .filter(({ op }) => op === 'Add')
    .flatMap(({ inputs }) => inputs.filter((input) => names.has(input)))
}

/**
 * Rounds what convolutions give to sums to uint8, with steps of its own for each channel, whose ranges differ tenfold.
 * Integer convolutions have one step for all, so the channels' are divided out in the weights: the convolution gives
 * the integers themselves, zero points included, and what reads them multiplies. The sums stay float32: what is lost in
 * one block does not add up over the blocks.
 */
export function quantizeAddends(graph: OnnxGraph, ranges: ReadonlyMap<string, ChannelRanges>): OnnxGraph {
  const edit = { nodes: [] as OnnxGraph['nodes'][number][], initializers: new Map(graph.initializers) }
  const unit = { scale: Float32Array.of(1), zero: Uint8Array.of(0) }
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((input) => (ranges.has(input) ? roundedName(input) : input))
    edit.nodes.push({ ...node, inputs })
    const range = ranges.get(node.name)
    if (!range) continue
    const scale = range.low.map((low, i) => (range.high[i]! - low) / 255 || 1)
    const zero = Uint8Array.from(range.low, (low, i) => Math.round(-low / scale[i]!))
    const divide = (name: string, shift?: Uint8Array) => {
      const tensor = graph.initializers.get(name)!
      const elements = () => {
        const values = tensor.elements() as Float32Array
        const row = values.length / scale.length
        return values.map((value, i) => {
          const channel = Math.trunc(i / row)
          return value / scale[channel]! + (shift ? shift[channel]! : 0)
        })
      }
      edit.initializers.set(name, { ...tensor, elements })
    }
    divide(node.inputs[1]!)
    divide(node.inputs[2]!, zero)
    roundTrip(edit, node.name, unit, { steps: { scale, zero }, axis: 1 })
  }
  return { ...graph, ...edit }
}
