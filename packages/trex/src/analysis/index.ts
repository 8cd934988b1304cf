export { codingLength, YU_EPS_SQUARED } from './codingLength.js'
export { type FeatureSpectrum, featureSpectrum } from './featureSpectrum.js'
export { prototypeDrift } from './prototypeDrift.js'
