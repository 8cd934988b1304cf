import type { RawTensor } from 'trex-torch/safetensors-format'
import type { StoredNetwork, StoredTensor } from './checkpoint.js'

// What other programs call the layers of the same networks. A prefix may stand before each name, and stays.

type Rule = readonly [from: RegExp, to: string | ((...groups: string[]) => string)]

const next = (digit: string) => `${Number(digit) + 1}`
const resnetLayer = (_: string, before: string, stage: string, block: string, rest: string) =>
  `${before}layer${next(stage)}.${block}.${rest}`

/** Hugging Face transformers: ResNetModel, ViTModel. */
const TRANSFORMERS: readonly Rule[] = [
  [/^(|.*\.)embedder\.embedder\.convolution\./, '$1conv1.'],
  [/^(|.*\.)embedder\.embedder\.normalization\./, '$1bn1.'],
  [
    /^(|.*\.)encoder\.stages\.(\d)\.layers\.(\d+)\.layer\.(\d)\.(convolution|normalization)\./,
    (_, before, stage, block, k, part) =>
      resnetLayer(_, before!, stage!, block!, `${part === 'convolution' ? 'conv' : 'bn'}${next(k!)}.`),
  ],
  [
    /^(|.*\.)encoder\.stages\.(\d)\.layers\.(\d+)\.shortcut\.(convolution|normalization)\./,
    (_, before, stage, block, part) =>
      resnetLayer(_, before!, stage!, block!, `downsample.${part === 'convolution' ? 0 : 1}.`),
  ],
  [/^(|.*\.)embeddings\.cls_token$/, '$1cls_token'],
  [/^(|.*\.)embeddings\.position_embeddings$/, '$1pos_embed'],
  [/^(|.*\.)embeddings\.patch_embeddings\.projection\./, '$1patch_embed.proj.'],
  [/^(|.*\.)encoder\.layer\.(\d+)\.layernorm_before\./, '$1blocks.$2.norm1.'],
  [/^(|.*\.)encoder\.layer\.(\d+)\.layernorm_after\./, '$1blocks.$2.norm2.'],
  [/^(|.*\.)encoder\.layer\.(\d+)\.attention\.attention\.(query|key|value)\./, '$1blocks.$2.attn.$3.'],
  [/^(|.*\.)encoder\.layer\.(\d+)\.attention\.output\.dense\./, '$1blocks.$2.attn.proj.'],
  [/^(|.*\.)encoder\.layer\.(\d+)\.intermediate\.dense\./, '$1blocks.$2.mlp.fc1.'],
  [/^(|.*\.)encoder\.layer\.(\d+)\.output\.dense\./, '$1blocks.$2.mlp.fc2.'],
  [/^(|.*\.)layernorm\.(weight|bias)$/, '$1norm.$2'],
]

/** torchvision's VisionTransformer. */
const TORCHVISION: readonly Rule[] = [
  [/^(|.*\.)class_token$/, '$1cls_token'],
  [/^(|.*\.)conv_proj\./, '$1patch_embed.proj.'],
  [/^(|.*\.)encoder\.pos_embedding$/, '$1pos_embed'],
  [/^(|.*\.)encoder\.layers\.encoder_layer_(\d+)\.ln_(\d)\./, '$1blocks.$2.norm$3.'],
  [
    /^(|.*\.)encoder\.layers\.encoder_layer_(\d+)\.self_attention\.in_proj_(weight|bias)$/,
    '$1blocks.$2.attn.qkv.$3',
  ],
  [/^(|.*\.)encoder\.layers\.encoder_layer_(\d+)\.self_attention\.out_proj\./, '$1blocks.$2.attn.proj.'],
  [/^(|.*\.)encoder\.layers\.encoder_layer_(\d+)\.mlp\.(?:0|linear_1)\./, '$1blocks.$2.mlp.fc1.'],
  [/^(|.*\.)encoder\.layers\.encoder_layer_(\d+)\.mlp\.(?:3|linear_2)\./, '$1blocks.$2.mlp.fc2.'],
  [/^(|.*\.)encoder\.ln\./, '$1norm.'],
]

/** ResNets for CIFAR, as those of SupCon. */
const CIFAR: readonly Rule[] = [[/^(|.*\.)(layer\d\.\d+)\.shortcut\./, '$1$2.downsample.']]

const RULES = [...TRANSFORMERS, ...TORCHVISION, ...CIFAR]
const LONGEST = 500

/** The name that torchvision (of a ResNet) or DINO (of a vision transformer) has for it; others stay as they are. */
function renamed(name: string): string {
  if (name.length > LONGEST) return name
  const rule = RULES.find(([from]) => from.test(name))
  return rule ? name.replace(rule[0], rule[1] as string) : name
}

const PART = /^(.*\.attn\.)query(\.weight|\.bias)$/

/** Names of a network that are read for this: more are no encoder's. */
const MOST_NAMES = 10_000

/** The networks, and beside each that has names of those programs the same under the names of torchvision and DINO. */
export const withOurNames = (networks: readonly StoredNetwork[]): StoredNetwork[] =>
  networks.flatMap((network) => [network, underOurNames(network) ?? []].flat())

/** Queries, keys and values in three tensors become one. */
function underOurNames(network: StoredNetwork): StoredNetwork | undefined {
  if (network.tensors.size > MOST_NAMES) return undefined
  const own = new Map([...network.tensors.keys()].map((name) => [renamed(name), [name]]))
  if (own.size < network.tensors.size || [...own].every(([name, [from]]) => name === from)) return undefined
  for (const name of [...own.keys()]) {
    const [, before, after] = PART.exec(name) ?? []
    if (before === undefined) continue
    const parts = ['query', 'key', 'value'].map((part) => before + part + after)
    const from = parts.map((part) => own.get(part)?.[0])
    if (!from.every((part) => part !== undefined) || !alike(from.map((part) => network.tensors.get(part)!)))
      continue
    for (const part of parts) own.delete(part)
    own.set(`${before}qkv${after}`, from)
  }
  const tensors = new Map(
    [...own].map(([name, from]) => [name, joinedShape(from.map((f) => network.tensors.get(f)!))]),
  )
  return {
    path: network.path,
    tensors,
    read: (name) => joined(own.get(name)!.map((from) => network.read(from))),
  }
}

const alike = ([first, ...others]: readonly StoredTensor[]) =>
  others.every(({ dtype, shape }) => dtype === first!.dtype && `${shape}` === `${first!.shape}`)

/** Tensors of one shape, one after the other along the first dimension. */
function joinedShape(parts: readonly StoredTensor[]): StoredTensor {
  const [{ dtype, shape }] = parts as [StoredTensor]
  if (parts.length === 1) return { dtype, shape }
  return { dtype, shape: [parts.length * (shape[0] ?? 1), ...shape.slice(1)] }
}

function joined(parts: readonly RawTensor[]): RawTensor {
  if (parts.length === 1) return parts[0]!
  const size = parts[0]!.data.length
  const data = new Uint8Array(size * parts.length)
  for (const [i, part] of parts.entries()) data.set(part.data, i * size)
  return { ...joinedShape(parts), data }
}
