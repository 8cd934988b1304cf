/** An engine that cannot be found or loaded; the message ends with what to do about it. */
export class EngineError extends Error {
  override name = 'EngineError'
}
