/**
 * How much may one request of a directory ask for? Small enough that each is over soon, large enough for those we know.
 * Stops: one request that holds the database, the process or the ledger for long. Trusts: the doorway for how often.
 * Fails: by the refusal that belongs to each limit.
 */

/** A page is never longer, whatever `count` says. */
export const mostPerPage = 200
export const usualPerPage = 100

export const scimLimits = {
  bodyBytes: 1_048_576,
  operations: 1_000,
  membersPerRequest: 10_000,
  filterChars: 2_000,
  /** Of brackets within each other. */
  filterDepth: 10,
  /** Comparisons in one filter. */
  filterTerms: 50,
  pathChars: 500,
  /** Of one attribute's text. */
  textChars: 2_000,
  /** Values of one attribute. */
  values: 100,
  /** What is kept of a person beside what has a place of its own. */
  documentChars: 32_768,
  groupsPerConnection: 10_000,
} as const
