/** What a room may refuse with: the code is stable, the sentences are for the caller. */
export interface RefusalDefinition {
  /** `<room>.<what-is-wrong>`, kebab-case; callers branch on it, never on the sentence. */
  readonly code: string
  /** One lower-case line for the caller; `{name}` is filled from `names`, in backticks. */
  readonly says: string
  /** What the caller can do next. */
  readonly hint: string
  /** HTTP status of the answer. */
  readonly status: number
}

/** A security answer: expected, a value, never thrown. */
export interface Refusal extends RefusalDefinition {
  readonly kind: 'refusal'
  /** For investigators: goes to the ledger, never to the caller. */
  readonly detail: Readonly<Record<string, unknown>>
  readonly retryAfterSeconds?: number
}

export interface RefuseOptions {
  /** Identifiers the caller sent, filled into `says` and `hint`. */
  readonly names?: Readonly<Record<string, string>>
  readonly detail?: Readonly<Record<string, unknown>>
  readonly retryAfterSeconds?: number
}

const longestNameChars = 120

function fill(sentence: string, names: Readonly<Record<string, string>>): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, key: string) => {
    const name = names[key]
    if (name === undefined) return whole
    // WHY: the name came from the caller; it may not break the line or close the backticks.
    const shown = name.replace(/[\u0000-\u001f\u007f-\u009f`\u2028\u2029]/g, '?')
    return '`' + (shown.length > longestNameChars ? `${shown.slice(0, longestNameChars)}…` : shown) + '`'
  })
}

/** Names in braces in a text that is known when it is compiled; `never` of any other. */
type Gaps<Text extends string> = string extends Text
  ? never
  : Text extends `${string}{${infer Name}}${infer Rest}`
    ? Name | Gaps<Rest>
    : never

type GapsOf<Definition extends RefusalDefinition> = Gaps<Definition['says']> | Gaps<Definition['hint']>

/** INVARIANT: whoever refuses fills every gap. */
type Filling<Definition extends RefusalDefinition> = [GapsOf<Definition>] extends [never]
  ? [options?: RefuseOptions]
  : [options: RefuseOptions & { readonly names: Readonly<Record<GapsOf<Definition>, string>> }]

/** Makes the refusal value a guard returns. */
export function refuse<const Definition extends RefusalDefinition>(
  definition: Definition,
  ...[options = {}]: Filling<Definition>
): Refusal {
  const names = options.names ?? {}
  return {
    kind: 'refusal',
    code: definition.code,
    says: fill(definition.says, names),
    hint: fill(definition.hint, names),
    status: definition.status,
    detail: options.detail ?? {},
    ...(options.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: options.retryAfterSeconds }),
  }
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'refusal'
}

/** A room's refusals, keyed by the word its own code uses for them. */
export function defineRefusals<const Table extends Readonly<Record<string, RefusalDefinition>>>(table: Table): Table {
  return table
}
