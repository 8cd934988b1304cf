import type { GraphDraft } from './graph.js'

/** x / max(||x||_2, 1e-12) per row of a float32 value [N, D]. */
export function l2Normalized(g: GraphDraft, x: string): string {
  const norm = g.node(`${x}.norm`, 'ReduceL2', [x], { axes: [1], keepdims: 1 }) // [N, 1]
  const least = g.float32('l2.least', [], () => Float32Array.of(1e-12))
  return g.node(`${x}.normalized`, 'Div', [x, g.node(`${x}.divisor`, 'Max', [norm, least])]) // [N, D]
}
