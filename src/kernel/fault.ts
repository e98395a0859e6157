/** Something broke. Thrown; the data plane answers it as a refusal and records it. */
export class Fault extends Error {
  readonly code: string
  /** When it is worth trying again, where that is known. */
  readonly retryAfterSeconds: number | undefined
  constructor(code: string, message: string, options?: { cause?: unknown; retryAfterSeconds?: number }) {
    super(message, options)
    this.name = 'Fault'
    this.code = code
    this.retryAfterSeconds = options?.retryAfterSeconds
  }
}

/** Wrong configuration or use: stops start-up or the command with one clear line and a hint. */
export class Misuse extends Error {
  readonly code: string
  readonly hint: string
  constructor(code: string, message: string, hint: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'Misuse'
    this.code = code
    this.hint = hint
  }
}
