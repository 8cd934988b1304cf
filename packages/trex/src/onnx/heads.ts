import type { ModelDescription } from '../checkpoints/modelDescription.js'
import { TrexError } from '../errors.js'
import { classVectors } from './classVectors.js'
import type { GraphDraft, Vectors } from './graph.js'
import { l2Normalized } from './l2Normalized.js'
import { findProjector, projectorGraph } from './projectorGraph.js'
import { type Rest, weightReader } from './weights.js'

/**
 * Adds what a description lists beside the features: `embedding`, a run's projector on the features; `logits`, a linear
 * classifier (`fc`, of timm's transformers `head`) on the features, or else a run's prototypes against the embedding, which without a
 * projector is the features.
 * @throws TrexError when the weights have no such part, or the temperature of prototypes is not known
 */
export function addHeads(
  g: GraphDraft,
  features: Vectors,
  rest: Rest,
  { outputs, classes }: Pick<ModelDescription, 'outputs' | 'classes'>,
  temperature: number | undefined,
): Vectors[] {
  const classifier = findClassifier(rest, features.width)
  const layers = findProjector(rest)
  const needed = outputs.includes('embedding') || (outputs.includes('logits') && classifier === undefined)
  const embedding = layers && needed ? projectorGraph(g, features, rest, layers) : undefined
  return outputs
    .filter((output) => output !== 'features')
    .map((output) => {
      if (output === 'embedding') return embedding ?? missing('projector', output)
      if (classifier !== undefined) return linearClassifier(g, features, rest, classifier)
      return prototypes(g, embedding ?? features, rest, classes?.length, temperature)
    })
}

function findClassifier(rest: Rest, width: number): string | undefined {
  const found = [...rest].find(
    ([name, { shape }]) =>
      /(^|\.)(fc|head)\.weight$/.test(name) &&
      !name.includes('projector.') &&
      shape.length === 2 &&
      shape[1] === width,
  )
  return found?.[0]
}

function missing(part: string, output: string): never {
  throw new TrexError(`the weights have no ${part}, which makes ${output}`, {
    hint: `leave ${output} out, or give the checkpoint of a run`,
  })
}

function linearClassifier(g: GraphDraft, features: Vectors, rest: Rest, name: string): Vectors {
  const read = weightReader(rest)
  const width = rest.get(name)!.shape[0]!
  const shape = [width, features.width]
  const bias = name.replace(/weight$/, 'bias')
  const weight = g.float32(name, shape, () => read(name, shape))
  const biases = rest.has(bias) ? [g.float32(bias, [width], () => read(bias, [width]))] : []
  return { name: g.node('logits', 'Gemm', [features.name, weight, ...biases], { transB: 1 }), width } // [N, C]
}

/** As in `method/cosineSoftmax.ts`. */
function prototypes(
  g: GraphDraft,
  embedding: Vectors,
  rest: Rest,
  count: number | undefined,
  temperature: number | undefined,
): Vectors {
  const { classes, cosine, vectors } =
    classVectors(rest, count, temperature) ?? missing('classifier or prototypes', 'logits')
  const weight = g.float32('prototypes', [classes, embedding.width], vectors)
  const z = cosine ? l2Normalized(g, embedding.name) : embedding.name
  return { name: g.node('logits', 'Gemm', [z, weight], { transB: 1 }), width: classes } // [N, C]
}
