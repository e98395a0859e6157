/** What each exit code of `castellan` means; scripts branch on these. */
export const exitCodes = {
  ok: { code: 0, says: 'it worked' },
  usage: { code: 1, says: 'wrong use, or an error on this machine' },
  remote: { code: 2, says: 'the server answered with an error' },
  signIn: { code: 3, says: 'sign-in needed, refused or expired' },
  unreachable: { code: 4, says: 'the server cannot be reached' },
  denied: { code: 5, says: 'denied by policy' },
  notFound: { code: 6, says: 'there is no such thing' },
  conflict: { code: 7, says: 'in conflict with what is there, or a precondition failed' },
  verification: { code: 8, says: 'verification failed: the ledger does not hold' },
  timedOut: { code: 9, says: 'no answer in time; the work may go on' },
  broken: { code: 70, says: 'something broke inside a running castellan; it can be started again' },
  interrupted: { code: 130, says: 'interrupted' },
} as const

export type ExitReason = keyof typeof exitCodes

/** @returns the reason that an HTTP status of the admin API stands for */
export function reasonOfStatus(status: number): ExitReason {
  switch (status) {
    case 401:
      return 'signIn'
    case 403:
      return 'denied'
    case 404:
      return 'notFound'
    case 409:
    case 412:
      return 'conflict'
    case 408:
    case 504:
      return 'timedOut'
    default:
      return 'remote'
  }
}
