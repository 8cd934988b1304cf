export { neighbourAgreement, type OutputErrors, outputErrors } from './compareOutputs.js'
export { encoderOnnx, INPUT_NAME, type OnnxOptions } from './encoderOnnx.js'
export { int8Onnx } from './int8Onnx.js'
export { type OnnxModel, readOnnxModel } from './readOnnxModel.js'
export type { GraphValue } from './scanModel.js'
export {
  type CheckedBatch,
  type ImageBatch,
  type OnnxLimits,
  type OnnxReport,
  onnxLimits,
  verifyOnnx,
} from './verifyOnnx.js'
export { OPSET } from './writeModel.js'
