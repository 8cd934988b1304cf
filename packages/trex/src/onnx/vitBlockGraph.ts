import { gelu } from './gelu.js'
import type { GraphDraft } from './graph.js'
import type { ReadWeight } from './weights.js'

const LAYER_NORM_EPS = 1e-6
const MLP_RATIO = 4

/** What the parts of a vision transformer's graph have in common. */
export interface ViTDraft {
  readonly g: GraphDraft
  readonly read: ReadWeight
  readonly width: number
  readonly heads: number
}

/** x + attention(norm(x)), then x + mlp(norm(x)); [N, T, D]. */
export function transformerBlock(draft: ViTDraft, x: string, name: string): string {
  const { g } = draft
  const attended = attention(draft, layerNorm(draft, x, `${name}.norm1`), `${name}.attn`)
  const mixed = g.node(`${name}.mixed`, 'Add', [x, attended])
  return g.node(name, 'Add', [mixed, mlp(draft, layerNorm(draft, mixed, `${name}.norm2`), `${name}.mlp`)])
}

/** Layer norm over each token. */
export function layerNorm({ g, read, width }: ViTDraft, x: string, name: string): string {
  const [weight, bias] = ['weight', 'bias'].map((part) =>
    g.weight(`${name}.${part}`, [width], () => read(`${name}.${part}`, [width])),
  ) as [string, string]
  return g.node(name, 'LayerNormalization', [x, weight, bias], {
    ...{ axis: -1, epsilon: { float: LAYER_NORM_EPS } },
  })
}

/** A linear map of each token. */
function linear({ g, read }: ViTDraft, x: string, name: string, input: number, output: number): string {
  const weight = g.weight(`${name}.weight.T`, [input, output], () =>
    transposed(read(`${name}.weight`, [output, input]), output, input),
  )
  const bias = g.weight(`${name}.bias`, [output], () => read(`${name}.bias`, [output]))
  return g.node(name, 'Add', [g.node(`${name}.product`, 'MatMul', [x, weight]), bias])
}

function attention(draft: ViTDraft, x: string, name: string): string {
  const { g, width, heads } = draft
  const qkv = linear(draft, x, `${name}.qkv`, width, 3 * width) // [N, T, 3 D]
  const parts = g.split(`${name}.parts`, [qkv], 3, { axis: 2 }) // each [N, T, D]
  const [q, k, v] = parts.map((part, i) => {
    const shape = g.integers('shape.heads', [0, 0, heads, width / heads])
    const split = g.node(`${part}.heads`, 'Reshape', [part, shape]) // [N, T, H, D/H]
    const perm = i === 1 ? [0, 2, 3, 1] : [0, 2, 1, 3]
    return g.node(`${part}.turned`, 'Transpose', [split], { perm }) // [N, H, T, D/H]; of k [N, H, D/H, T]
  }) as [string, string, string]
  const scale = g.weight('attention.scale', [], () => Float32Array.of(Math.sqrt(heads / width)))
  const scaled = g.node(`${name}.scaled`, 'Mul', [q, scale])
  const scores = g.node(`${name}.scores`, 'MatMul', [scaled, k]) // [N, H, T, T]
  const shares = g.node(`${name}.softmax`, 'Softmax', [scores], { axis: -1 })
  const mixed = g.node(`${name}.mixed`, 'MatMul', [shares, v]) // [N, H, T, D/H]
  const turned = g.node(`${name}.turned`, 'Transpose', [mixed], { perm: [0, 2, 1, 3] }) // [N, T, H, D/H]
  const joined = g.node(`${name}.joined`, 'Reshape', [turned, g.integers('shape.tokens', [0, 0, width])]) // [N, T, D]
  return linear(draft, joined, `${name}.proj`, width, width)
}

function mlp(draft: ViTDraft, x: string, name: string): string {
  const { g, width } = draft
  const hidden = gelu(g, linear(draft, x, `${name}.fc1`, width, MLP_RATIO * width)) // [N, T, 4 D]
  return linear(draft, hidden, `${name}.fc2`, MLP_RATIO * width, width)
}

/** [rows, columns] to [columns, rows]. */
function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = values[row * columns + column]!
  return turned
}
