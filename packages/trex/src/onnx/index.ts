export { encoderGraph, encoderOnnx, INPUT_NAME, type OnnxOptions } from './encoderOnnx.js'
