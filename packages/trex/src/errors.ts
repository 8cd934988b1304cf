/** An error the user can act on: the message says what went wrong and where, `hint` what to do next. */
export class TrexError extends Error {
  readonly hint?: string

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    if (options.hint !== undefined) this.hint = options.hint
  }
}
