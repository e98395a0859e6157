const shown = '[secret]'

/** A value that never prints itself: not in logs, JSON, templates or inspection. */
export class Secret<T = string> {
  readonly #value: T
  constructor(value: T) {
    this.#value = value
  }
  /** The value, for the one place that needs it. */
  reveal(): T {
    return this.#value
  }
  toString(): string {
    return shown
  }
  toJSON(): string {
    return shown
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return shown
  }
}
