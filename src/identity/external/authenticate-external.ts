/**
 * Who is behind a signed token of another issuer? A person of their own, with the roles that the mapping gives.
 * Stops: what `verify` stops; persons who are suspended; tokens for another resource; tokens that were superseded.
 * Trusts: configured issuers for who their people are, and nobody for what they may do here.
 * Fails: closed, also when the issuer or the database cannot be asked. Nothing is remembered of a token that is not good.
 * @see RFC 8707, section 2; RFC 9068; ASVS 9.1, 9.2, 10.3
 */
import { hash } from 'node:crypto'
import { isRefusal, type Principal, type Refusal, refuse } from '#kernel'
import type { Parts } from '../parts.ts'
import { refusals } from '../refusals.ts'
import { createFindKeys } from './find-keys.ts'
import { createIssuerKeys } from './issuer-keys.ts'
import type { IssuerSettings } from './settings.ts'
import { createStandings, isSuperseded, isWithdrawn, type Standing, type Standings } from './standings.ts'
import { createVerifiedTokens, type Verified } from './verified.ts'
import { createVerify, type Issuer } from './verify.ts'

const mostVerified = 10_000

export interface ExternalTokens {
  /** The person behind a signed token for this resource. At once when it was verified before and nothing has changed. */
  authenticate(token: string, resource: string): Principal | Refusal | Promise<Principal | Refusal>
  /** Whether what the principal was made of still holds. */
  stillValid(principal: Principal): boolean | Promise<boolean>
  /** Moves when something that is in no database ended tokens: other settings, a key that was withdrawn. */
  epoch(): number
}

/** Everything that rests on one version of the settings. */
function createGround(settings: readonly IssuerSettings[], parts: Parts, onWithdrawn: () => void) {
  const issuers = new Map(
    settings.map((one): [string, Issuer] => {
      const rooms = { clock: parts.clock, fetchKeys: createFindKeys(one), onWithdrawn }
      return [one.issuer, { settings: one, keys: createIssuerKeys(one, rooms) }]
    }),
  )
  return {
    settings,
    issuers,
    verify: createVerify(issuers, parts.clock),
    verified: createVerifiedTokens(mostVerified, () => parts.clock.now()),
    /** By hash: what is being verified. */
    under: new Map<string, Promise<Verified | Refusal>>(),
    principals: new WeakMap<Verified, { readonly standing: Standing; readonly principal: Principal }>(),
  }
}

type Ground = ReturnType<typeof createGround>

/** Whether the token is for this resource: by its own name, or by the audience that stands for this one path. */
function isFor({ audience }: Verified, { settings }: Issuer, resource: string): boolean {
  if (audience === resource) return true
  const path = Object.hasOwn(settings.audiences, audience) ? settings.audiences[audience] : undefined
  return path !== undefined && URL.parse(resource)?.pathname === path
}

function principalOf(ground: Ground, verified: Verified, standing: Standing): Principal {
  const known = ground.principals.get(verified)
  if (known?.standing === standing) return known.principal
  const { personId, roles, claims, factors, factorsAt, clientId, scopes, credentialId, endsAt } = verified
  const principal: Principal = Object.freeze<Principal>({
    id: personId,
    name: standing.name,
    roles: [...new Set([...roles, ...standing.granted])].toSorted(),
    mappedRoles: roles,
    claims,
    factors,
    ...(factorsAt === undefined ? {} : { factorsAt }),
    client: { id: clientId, name: clientId, scopes },
    credential: { kind: 'external-token', id: credentialId, expiresAt: endsAt },
  })
  ground.principals.set(verified, { standing, principal })
  return principal
}

function judge(ground: Ground, verified: Verified, standing: Standing): Principal | Refusal {
  const detail = { person: verified.personId, credential: verified.credentialId, issuer: verified.issuer }
  if (isWithdrawn(verified, standing)) {
    return refuse(refusals.tokenInvalid, { detail: { ...detail, reason: 'key-withdrawn' } })
  }
  if (!standing.isActive) return refuse(refusals.tokenInvalid, { detail: { ...detail, reason: 'suspended' } })
  if (isSuperseded(verified, standing)) {
    return refuse(refusals.tokenInvalid, { detail: { ...detail, reason: 'superseded' } })
  }
  return principalOf(ground, verified, standing)
}

/** What is known of a token, while the key that signed it counts. */
function knownGood(here: Ground, found: Verified | undefined): Verified | undefined {
  const issuer = found === undefined ? undefined : here.issuers.get(found.issuer)
  return found !== undefined && issuer?.keys.holds(found.thumbprint) === true ? found : undefined
}

/** Simultaneous requests with one token share one verification. */
function verifyOnce(here: Ground, token: string, tokenHash: string): Promise<Verified | Refusal> {
  const shared = here.under.get(tokenHash)
  if (shared !== undefined) return shared
  const verifying = here.verify(token).finally(() => here.under.delete(tokenHash))
  here.under.set(tokenHash, verifying)
  return verifying
}

type Answer = Principal | Refusal | Promise<Principal | Refusal>

/** Whether the token is for here, and the person may come. */
function createAdmit(standings: Standings) {
  return function admit(here: Ground, verified: Verified, resource: string): Answer {
    const issuer = here.issuers.get(verified.issuer)
    if (issuer === undefined || !isFor(verified, issuer, resource)) {
      const detail = { person: verified.personId, credential: verified.credentialId, issuer: verified.issuer }
      return refuse(refusals.tokenInvalid, { detail: { ...detail, reason: 'wrong-resource' } })
    }
    const standing = standings.peek(verified)
    if (standing !== undefined) return judge(here, verified, standing)
    return standings.get(verified).then((read) => judge(here, verified, read))
  }
}

/** The settings of the moment, what rests on them, and how often something ended that is in no database. */
function createLiveGround(parts: Parts) {
  let [withdrawals, reloads] = [0, 0]
  const onWithdrawn = (): void => void (withdrawals += 1)
  let ground = createGround(parts.settings.issuers, parts, onWithdrawn)
  return {
    /** INVARIANT: what was verified under other settings is never looked at again. */
    current(): Ground {
      const { issuers } = parts.settings
      if (issuers === ground.settings) return ground
      reloads += 1
      ground = createGround(issuers, parts, onWithdrawn)
      return ground
    },
    epoch: () => withdrawals + reloads,
  }
}

export function createExternalTokens(parts: Parts): ExternalTokens {
  const { current, epoch } = createLiveGround(parts)
  const maxAgeSeconds = (issuer: string): number => current().issuers.get(issuer)?.settings.tokenMaxAgeSeconds ?? 0
  const standings = createStandings(parts, maxAgeSeconds)
  const admit = createAdmit(standings)

  async function authenticateNew(here: Ground, token: string, tokenHash: string, resource: string) {
    const verified = await verifyOnce(here, token, tokenHash)
    if (isRefusal(verified)) return verified
    const admitted = await admit(here, verified, resource)
    // INVARIANT: nothing is remembered of a token that was refused.
    if (!isRefusal(admitted)) here.verified.keep(tokenHash, verified)
    return admitted
  }

  return {
    authenticate(token, resource) {
      const here = current()
      if (here.issuers.size === 0) return refuse(refusals.tokenInvalid, { detail: { reason: 'no-issuers' } })
      const tokenHash = hash('sha256', token)
      const known = knownGood(here, here.verified.get(tokenHash))
      return known === undefined ? authenticateNew(here, token, tokenHash, resource) : admit(here, known, resource)
    },

    stillValid({ credential }) {
      const here = current()
      const known = knownGood(here, here.verified.byCredential(credential.id))
      if (known === undefined) return false
      const holds = (standing: Standing): boolean =>
        standing.isActive && !isSuperseded(known, standing) && !isWithdrawn(known, standing)
      const standing = standings.peek(known)
      return standing === undefined ? standings.get(known).then(holds) : holds(standing)
    },

    epoch() {
      current()
      return epoch()
    },
  }
}
