export {
  type AveragePrecisionKind,
  averagePrecision,
  meanAveragePrecision,
} from './averagePrecision.js'
export { classMeans, nearestClassMeans } from './classMeans.js'
export { type SeedMean, seedMean } from './confidence.js'
export * from './datasets/index.js'
export { type FeatureNormalization, type FeatureSet, normalizeFeatures, selectRows } from './featureSet.js'
export { type ExtractOptions, extractFeatures } from './features.js'
export { type KnnPrediction, knn } from './knn.js'
export { type LbfgsProbeOptions, searchLbfgsProbe } from './lbfgsProbe.js'
export { type LinearClassifier, predict } from './linearClassifier.js'
export {
  fitLogisticRegression,
  type LogisticFit,
  type LogisticFitOptions,
  type LogisticOptions,
  type LogisticProblem,
  logisticProblem,
} from './logisticRegression.js'
export { type Neighbours, nearest } from './nearest.js'
export { type ProbeOptions, type ProbeResult, type ProbeTrial, probe } from './probe.js'
export type { MultiLabelSet } from './probeTask.js'
export { type Accuracy, accuracy, logOdds, meanLogOdds } from './scores.js'
export type { SearchOptions, SearchProgress, SearchResult, SeedScore } from './search.js'
export { type SgdProbeOptions, searchSgdProbe } from './sgdProbe.js'
export { fileStudy, memoryStudy, type Study, type StudyOptions, type Trial } from './study.js'
export { type Observation, type Parameters, type SearchSpace, suggest } from './tpe.js'
export { validationSplit } from './validationSplit.js'
