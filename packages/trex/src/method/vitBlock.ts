import { F, type Generator, init, LayerNorm, Linear, Module, rand, type Tensor, tidy } from 'trex-torch'

type Init = Generator | undefined

/** The epsilon of every layer norm. */
export const LAYER_NORM_EPS = 1e-6
const MLP_RATIO = 4

function linear(input: number, output: number, generator: Init): Linear {
  const layer = new Linear(input, output, { generator })
  init.truncNormal_(layer.weight, 0, 0.02, -2, 2, generator)
  init.constant_(layer.bias!, 0)
  return layer
}

/** Multi-head self-attention; `qkv` makes queries, keys and values of all heads in one product. */
class Attention extends Module {
  readonly qkv: Linear
  readonly proj: Linear

  constructor(
    width: number,
    readonly heads: number,
    generator: Init,
  ) {
    super()
    this.qkv = linear(width, 3 * width, generator)
    this.proj = linear(width, width, generator)
  }

  override forward(x: Tensor): Tensor {
    const [n, tokens, width] = x.shape as [number, number, number]
    return tidy(() => {
      const split = this.qkv.forward(x).reshape(n, tokens, 3, this.heads, width / this.heads) // [N, T, 3, H, D/H]
      const all = split.permute(2, 0, 3, 1, 4) // [3, N, H, T, D/H]
      const mixed = F.attention(all.select(0, 0), all.select(0, 1), all.select(0, 2)) // [N, H, T, D/H]
      return this.proj.forward(mixed.transpose(1, 2).reshape(n, tokens, width)) // [N, T, D]
    })
  }
}

/** Linear -> GELU -> linear on each token. */
class Mlp extends Module {
  readonly fc1: Linear
  readonly fc2: Linear

  constructor(width: number, generator: Init) {
    super()
    this.fc1 = linear(width, MLP_RATIO * width, generator)
    this.fc2 = linear(MLP_RATIO * width, width, generator)
  }

  override forward(x: Tensor): Tensor {
    return tidy(() => this.fc2.forward(F.gelu(this.fc1.forward(x)))) // [N, T, D]
  }
}

/** Stochastic depth (Huang et al. 2016): an image's residual is 0 with probability p, and else divided by 1 - p. */
function dropPath(residual: Tensor, p: number): Tensor {
  const keep = 1 - p
  const ones = Array<number>(residual.dim - 1).fill(1)
  const kept = rand([residual.size(0), ...ones], { device: residual.device })
    .add(keep)
    .floor() // [N, 1, 1]
  return residual.div(keep).mul(kept.to({ dtype: residual.dtype })) // [N, T, D]
}

/** x + attention(norm(x)), then x + mlp(norm(x)). */
export class TransformerBlock extends Module {
  readonly norm1: LayerNorm
  readonly attn: Attention
  readonly norm2: LayerNorm
  readonly mlp: Mlp

  /** @param dropPath probability that a residual is left out for an image in training */
  constructor(
    width: number,
    heads: number,
    readonly dropPath: number,
    generator: Init,
  ) {
    super()
    this.norm1 = new LayerNorm(width, { eps: LAYER_NORM_EPS })
    this.attn = new Attention(width, heads, generator)
    this.norm2 = new LayerNorm(width, { eps: LAYER_NORM_EPS })
    this.mlp = new Mlp(width, generator)
  }

  override forward(x: Tensor): Tensor {
    return tidy(() => {
      const mixed = x.add(this.dropped(this.attn.forward(this.norm1.forward(x)))) // [N, T, D]
      return mixed.add(this.dropped(this.mlp.forward(this.norm2.forward(mixed)))) // [N, T, D]
    })
  }

  private dropped(residual: Tensor): Tensor {
    return this.training && this.dropPath > 0 ? dropPath(residual, this.dropPath) : residual
  }
}
