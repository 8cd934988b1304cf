import type { Tensor } from 'trex-torch'

/**
 * How many rows of logits [N, C] have their label [N] among the k highest, for each k; scalars on the
 * device. With fewer than k classes every row counts.
 */
export function countTopK(logits: Tensor, labels: Tensor, ks: readonly number[]): Tensor[] {
  const deepest = Math.min(Math.max(...ks), logits.size(1))
  const [, best] = logits.topk(deepest, 1) // [N, k]
  const hits = best.eq(labels.unsqueeze(1)) // [N, k]
  return ks.map((k) => hits.slice(1, 0, Math.min(k, deepest)).sum())
}
