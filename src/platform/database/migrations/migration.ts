/** One step of the schema: the same tables on both dialects, written in each one's words. */
export interface Migration {
  /** 1, 2, 3 … without gaps. */
  readonly version: number
  readonly name: string
  readonly statements: Readonly<Record<'sqlite' | 'postgres', readonly string[]>>
}
