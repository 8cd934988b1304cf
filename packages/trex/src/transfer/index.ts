export { classMeans, nearestClassMeans } from './classMeans.js'
export * from './datasets/index.js'
export { type FeatureNormalization, type FeatureSet, normalizeFeatures, selectRows } from './featureSet.js'
export { type ExtractOptions, extractFeatures } from './features.js'
export { type KnnPrediction, knn } from './knn.js'
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
export { type Accuracy, accuracy, logOdds, meanLogOdds } from './scores.js'
