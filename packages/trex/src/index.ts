export { type PartialSettings, resolveSettings, settingsYaml } from './config.js'
export {
  readImageDataset,
  readImageFolder,
} from './data/sources/imageFolder.js'
export type { ImageDataset, Sample } from './data/sources/sample.js'
export { TrexError } from './errors.js'
export { type Evaluation, type EvaluationOptions, evaluate } from './evaluate/evaluate.js'
export * from './method/index.js'
export { RECIPES } from './recipes.js'
export { cropGroups, type Settings } from './settings.js'
export { createLearner, disposeLearner, type Learner } from './train/learner.js'
export { restoreLearner, saveLearner } from './train/learnerCheckpoint.js'
export { resolvePrecision } from './train/precision.js'
export { createRun, describeData, type MetricsRow, openRun, type Run, readMetrics } from './train/run.js'
export { learningRates } from './train/schedule.js'
export { type StepInput, trainStep } from './train/step.js'
export { type TrainEvent, train } from './train/train.js'
export { validate } from './train/validate.js'
