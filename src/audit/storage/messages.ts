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
  | { readonly kind: 'commit'; readonly firstSeq: number; readonly bodies: readonly string[]; readonly timeMs: number }
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

export interface Opened {
  readonly size: number
  /** Name of the last event; undefined in an empty ledger. */
  readonly lastEvent: string | undefined
}

/** `isDamaged`: waiting is no cure, the file does not agree with its signed head. */
export type Answer<Result> =
  | { readonly isDone: true; readonly result: Result }
  | { readonly isDone: false; readonly problem: string; readonly isDamaged: boolean }
