export {
  type ExtractedFeatures,
  type ExtractionProgress,
  type FeatureComputer,
  featuresToFile,
  type ImagePart,
} from './computeFeatures.js'
export { type ExportedInfo, exportedInfo } from './exportedInfo.js'
export { EXPORT_FORMATS, type ExportFormat, exportFeatures } from './exportFeatures.js'
export { type ExtractionOptions, extractCached, extractToFile } from './extract.js'
export {
  checkFeatureFile,
  type FeatureInfo,
  type FeatureRows,
  readFeatureFile,
  type StoredFeatures,
  writeFeatureFile,
} from './featureFile.js'
export { dataFingerprint, type FeatureIdentity, identityKey } from './identity.js'
export { readFeatures } from './readFeatures.js'
export { readVectors, type StoredVectors } from './readVectors.js'
