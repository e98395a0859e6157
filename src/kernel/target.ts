/** What a request is about: an upstream as a whole, or one thing it offers. */
export interface Target {
  readonly upstream: string
  readonly kind: 'server' | 'tool' | 'resource' | 'prompt'
  /** Tool or prompt name, or resource URI; absent for `server`. */
  readonly name?: string
}
