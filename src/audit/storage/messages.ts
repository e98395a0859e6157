/**
 * What the ledger and its two threads say to each other: one message per batch, one answer per message.
 * Stops: nothing by itself.
 * Trusts: both sides, which run one program.
 * Fails: answers carry `problem` instead of throwing across threads.
 */

export interface WriterSettings {
  readonly folder: string
  readonly origin: string
  /** PKCS #8 PEM. */
  readonly privateKey: string
}

export type WriterRequest =
  | { readonly kind: 'open' }
  | {
      readonly kind: 'commit'
      readonly firstSeq: number
      /** The bodies in UTF-8, each preceded by a zero byte. */
      readonly bodies: Uint8Array<ArrayBuffer>
      /** What the entries are searched by, as `entry.ts` writes it. */
      readonly values: string
      readonly timeMs: number
    }
  | { readonly kind: 'close' }

export interface ReaderSettings {
  readonly folder: string
}

export interface LedgerQuery {
  /** Only entries with a higher `seq`. */
  readonly after?: number | undefined
  /** Only entries with a lower `seq`. */
  readonly before?: number | undefined
  /** 1 to 1000; 100 when absent. */
  readonly limit?: number | undefined
  readonly event?: string | undefined
  /** A person's id. */
  readonly person?: string | undefined
  readonly exchange?: string | undefined
  readonly refusal?: string | undefined
}

/** Entries of one event in a stretch of the ledger. */
export interface Stretch {
  readonly event: string
  /** Only entries with a higher `seq`. */
  readonly after: number
  /** The last entry. */
  readonly upTo: number
}

/** What a stretch says about intents: entries that are open until a later one, the end, has their `seq` as `details.intent`. */
export interface Intents {
  /** Intents of the stretch that have no end in it. */
  readonly open: readonly number[]
  /** Intents before the stretch whose end is in it. */
  readonly ended: readonly number[]
}

/** What is to be shown: of an entry that it is there, or of a smaller ledger that the present one begins with it. */
export type AskedProof = { readonly seq: number } | { readonly from: number }

export type ReaderRequest =
  | { readonly kind: 'search'; readonly query: LedgerQuery }
  | { readonly kind: 'intents'; readonly stretch: Stretch }
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'proof'; readonly asked: AskedProof }

export type ReaderAnswer =
  | { readonly kind: 'search'; readonly bodies: readonly string[] }
  | { readonly kind: 'intents'; readonly intents: Intents }
  /** A signed note, or a proof as it is kept; undefined where there is nothing to show. */
  | { readonly kind: 'text'; readonly text: string | undefined }

export interface Opened {
  readonly size: number
  /** Name of the last event; undefined in an empty ledger. */
  readonly lastEvent: string | undefined
  /** Entries found beyond the head kept outside the database: nobody was told that they are durable. */
  readonly unanswered: number
  /** Bytes of commits that had not finished, left out at this opening. */
  readonly cutBytes: number
  /** The memory that a commit gave, back. */
  readonly spare?: Uint8Array<ArrayBuffer>
}

/**
 * `passing`: it may work later. Waiting is no cure for `damaged`, a file that does not agree with its signed head, nor for
 * `other-form`, the file of another version.
 */
export type ProblemKind = 'passing' | 'damaged' | 'other-form'

export type Answer<Result> =
  | { readonly isDone: true; readonly result: Result }
  | { readonly isDone: false; readonly problem: string; readonly kind: ProblemKind }
