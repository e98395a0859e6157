import { asKept, isRefusal, refuse, type Principal, type Refusal } from '#kernel'
import type { Permission } from '#policy'
import { refusals } from './refusals.ts'
import type { Rooms } from './rooms.ts'
import type { Access } from './route.ts'

/** The token of an `Authorization` header of that scheme. SPEC: RFC 6750, section 2.1. */
export function bearer(authorization: string | undefined): string | undefined {
  return /^bearer +([\w~+/.-]+=*) *$/i.exec(authorization ?? '')?.[1]
}

/** A refusal when the person is on hold. A hold on everything leaves the admin API open: it is lifted here. */
async function refuseHeld(rooms: Rooms, personId: string): Promise<Refusal | undefined> {
  await rooms.policy.refresh()
  const hold = rooms.policy.findHold({ personId, target: 'castellan' })
  return hold === undefined ? undefined : refuse(refusals.held, { detail: { hold: hold.id } })
}

/** May this person use the admin plane so? Decided by policy, with its reasons kept for the ledger. */
export function decideAccess(rooms: Rooms, principal: Principal, permission: Permission): Refusal | undefined {
  // INVARIANT: whatever its roles grant, a program changes nothing on the admin plane.
  if (principal.isService === true && !permission.endsWith(':read')) return refuse(refusals.peopleOnly)
  const decision = rooms.policy.decide(principal, permission, 'castellan')
  if (decision.isAllowed) return undefined
  return refuse(refusals.notPermitted, {
    names: { permission },
    detail: { reasons: decision.reasons, snapshotVersion: decision.snapshotVersion },
  })
}

/** A person still signed in, not on hold and still permitted: asked again after a wait. */
export async function recheckAccess(
  rooms: Rooms,
  principal: Principal,
  permission: Permission,
): Promise<Refusal | undefined> {
  if (!(await rooms.identity.stillValid(principal))) return refuse(refusals.notSignedIn)
  const held = await refuseHeld(rooms, principal.id)
  if (held !== undefined) return held
  // INVARIANT: roles are those of this moment, not of the moment the request came in.
  return decideAccess(rooms, asKept(principal, await rooms.policy.roles.keptOf(principal.id)), permission)
}

/**
 * The person of a session or of a terminal, or the program of an access token that was minted for the admin API.
 * INVARIANT: of persons no access token that they minted is good here, whatever it says it is for.
 */
async function identify(
  rooms: Rooms,
  token: string,
  context: { readonly address: string; readonly isRegistering: boolean },
): Promise<Principal | Refusal> {
  if (token.startsWith('coa_')) return rooms.identity.terminals.authenticate(token, context)
  if (!token.startsWith('cst_')) return rooms.identity.authenticateSession(token, context)
  const principal = await rooms.identity.authenticateAccessToken(token, rooms.config.admin.publicUrl)
  return isRefusal(principal) || principal.isService === true ? principal : refuse(refusals.notSignedIn)
}

function refuseAccess(rooms: Rooms, principal: Principal, access: Exclude<Access, 'open'>): Refusal | undefined {
  if (access !== 'signed-in') return decideAccess(rooms, principal, access)
  return principal.isService === true ? refuse(refusals.peopleOnly) : undefined
}

/**
 * Who is calling, if the route lets them: the session's person, not on hold, with the permission the route declares.
 * @returns undefined for an open route
 */
export async function admitCaller(
  rooms: Rooms,
  access: Access,
  request: {
    readonly authorization: string | undefined
    readonly address: string
    readonly isRegistering?: boolean
  },
): Promise<{ principal: Principal | undefined; refusal: Refusal | undefined }> {
  if (access === 'open') return { principal: undefined, refusal: undefined }
  const token = bearer(request.authorization)
  if (token === undefined) return { principal: undefined, refusal: refuse(refusals.notSignedIn) }
  const { address, isRegistering = false } = request
  const principal = await identify(rooms, token, { address, isRegistering })
  if (isRefusal(principal)) return { principal: undefined, refusal: principal }
  const held = await refuseHeld(rooms, principal.id)
  if (held !== undefined) return { principal, refusal: held }
  return { principal, refusal: refuseAccess(rooms, principal, access) }
}
