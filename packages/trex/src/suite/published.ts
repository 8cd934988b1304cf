/** A model's published figures: Sariyildiz et al., "No Reason for No Supervision", ICLR 2023. */
export interface PublishedResult {
  readonly name: string
  /** Per cent on ImageNet-1K. */
  readonly in1k: number
  /** Mean log odds over the 15 transfer sets, of top-1 accuracies. */
  readonly meanLogOdds15: number
}

/** What tables of results show beside one's own. */
export const PUBLISHED: readonly PublishedResult[] = [
  { name: 't-ReX (published)', in1k: 78.0, meanLogOdds15: 1.1704 },
  { name: 't-ReX* (published)', in1k: 80.2, meanLogOdds15: 0.8829 },
]

/** Whether a set tells of transfer: all but ImageNet-1K, on which models are trained. */
export const isTransfer = ({ name }: { readonly name: string }): boolean => name !== 'in1k'

/** The 13 transfer sets whose scores the paper's figures average. */
export const PAPER_13: readonly string[] = [
  ...['cog-l1', 'cog-l2', 'cog-l3', 'cog-l4', 'cog-l5'],
  ...['aircraft', 'cars196', 'dtd', 'eurosat', 'flowers', 'pets', 'food101', 'sun397'],
]

/** The published table's 15: those and the two of iNaturalist. */
export const PAPER_15: readonly string[] = [...PAPER_13, 'inat2018', 'inat2019']
