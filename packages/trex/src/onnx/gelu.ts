import type { GraphDraft } from './graph.js'

/** The exact GELU, x / 2 * (1 + erf(x / sqrt 2)), in the form that ONNX Runtime recognises and fuses. */
export function gelu(g: GraphDraft, x: string): string {
  const constant = (name: string, value: number) => g.weight(name, [], () => Float32Array.of(value))
  const scaled = g.node(`${x}.scaled`, 'Div', [x, constant('gelu.sqrt2', Math.SQRT2)])
  const erf = g.node(`${x}.erf`, 'Erf', [scaled])
  const shifted = g.node(`${x}.erf1`, 'Add', [erf, constant('gelu.one', 1)])
  const twice = g.node(`${x}.twice`, 'Mul', [x, shifted])
  return g.node(`${x}.gelu`, 'Mul', [twice, constant('gelu.half', 0.5)])
}
