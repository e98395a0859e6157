/**
 * Which labels does it leave behind to have asked this thing?
 * Stops: rules about what was met that depend on how a server words its answers.
 * Trusts: what an administrator said of the thing; what nobody classified leaves the worst.
 * Fails: nothing here can fail.
 * @see docs/information-flow.md
 */
import { type Classification, type Principal, sensitivities } from '#kernel'

/** From this one on, having read it leaves a label. */
const leastLabelled = sensitivities.indexOf('confidential')

/** `untrusted`, `sensitivity:<level>` for what is more than internal, `data:<class>`. */
export function labelsOf({ bringsUntrusted, sensitivity, dataClasses }: Classification): readonly string[] {
  return [
    ...(bringsUntrusted ? ['untrusted'] : []),
    ...(sensitivities.indexOf(sensitivity) >= leastLabelled ? [`sensitivity:${sensitivity}`] : []),
    ...dataClasses.map((name) => `data:${name}`),
  ]
}

/**
 * What acts for the person. The tokens of an OAuth client change with every refresh and every sign-in, and it stays the
 * same; whatever uses the person's own access tokens counts as one, as each of these is for one server only.
 */
function bearerOf({ client }: Principal): string {
  return client === undefined ? 'tokens' : `client/${client.id}`
}

/** What a program has met while it acted for somebody. */
const carried = 'for/'

/** Everything like this is what a program has met for others. */
export const carriedPattern = `${carried}%`

export interface Bearing {
  readonly personId: string
  readonly bearer: string
}

/** The service accounts that act for the principal. */
export function programsOf({ actors = [] }: Principal): string[] {
  // WHY: a client that acts without an account of its own is nobody who could ask for itself.
  return [...new Set(actors.filter(({ id, client }) => id !== client).map(({ id }) => id))]
}

/** Who has met it when this principal asks: the person, and every program that it passes through. */
export function bearings(principal: Principal): Bearing[] {
  const programs = programsOf(principal).map((personId) => ({ personId, bearer: carriedFor(principal.id) }))
  return [{ personId: principal.id, bearer: bearerOf(principal) }, ...programs]
}

export function carriedFor(personId: string): string {
  return `${carried}${personId}`
}
