/**
 * What does the ledger keep of a decision, so that it can be made again?
 * Stops: a replay that has to guess who asked, with which roles, and in which circumstances.
 * Trusts: what the guards learned; the ledger to sanitise it.
 * Fails: nothing here can fail; an exchange that is answered by several servers has no decision of its own.
 * @see docs/decisions/0046-replay-reads-what-was-judged.md
 */
import { type Classification, type Principal, unclassified } from '#kernel'
import type { Circumstances } from '#policy'
import type { Authenticated } from '../guards/authenticate-caller.ts'
import type { Inbound } from '../guards/read-message.ts'
import { permissionOn } from '../flow/needed.ts'
import type { Aim } from '../guards/resolve-target.ts'

type Facts = Readonly<Record<string, unknown>>

function factsOfPrincipal(principal: Principal): Facts {
  const { roles, isService, groups, claims, client, factors, factorsAt } = principal
  return {
    roles,
    ...(isService === true && { service: true }),
    ...(groups !== undefined && groups.length > 0 && { groups }),
    ...(claims !== undefined && { claims }),
    ...(client !== undefined && {
      client: { id: client.id, name: client.name, ...(client.isSelfRegistered === true && { selfRegistered: true }) },
    }),
    ...(factors.length > 0 && { factors }),
    ...(factorsAt !== undefined && { factorsAt }),
  }
}

/** WHY: a caller is the same object from call to call. */
const principals = new WeakMap<Principal, Facts>()

function principalFacts(principal: Principal): Facts {
  const known = principals.get(principal)
  if (known !== undefined) return known
  const made = factsOfPrincipal(principal)
  principals.set(principal, made)
  return made
}

/** What differs from `unclassified`. */
function labels(classification: Classification | undefined): Facts | undefined {
  if (classification === undefined || classification === unclassified) return undefined
  const usual: Readonly<Record<string, unknown>> = { ...unclassified }
  const differing = Object.entries(classification).filter(([name, label]) =>
    Array.isArray(label) ? label.length > 0 : label !== usual[name],
  )
  return differing.length === 0 ? undefined : Object.fromEntries(differing)
}

function factsOfNeeded({
  permission,
  target: { kind, name },
  wasCalled,
  circumstances,
}: Aim['alsoNeeded'][number]): Facts {
  const labelled = labels(circumstances.classification)
  return {
    kind,
    permission,
    ...(name !== undefined && { name }),
    ...(wasCalled === true && { called: true }),
    ...(labelled !== undefined && { labels: labelled }),
  }
}

function factsOfCircumstances({ classification, flow, consents }: Circumstances): Facts {
  const labelled = labels(classification)
  return {
    ...(labelled !== undefined && { labels: labelled }),
    ...(flow !== undefined && flow.size > 0 && { flow: [...flow] }),
    ...(consents !== undefined && consents.size > 0 && { consents: [...consents] }),
  }
}

type Judged = Authenticated &
  Pick<Aim, 'target' | 'permission' | 'alsoNeeded' | 'wasCalled' | 'gathers' | 'circumstances' | 'serverLabels'>

/**
 * `judged` of an entry: what is as usual is left out.
 * @param met rules whose remedy was met for this call
 */
export function decisionFacts(known: Judged, met?: ReadonlySet<string>): Facts | undefined {
  const { principal, target, permission, alsoNeeded, wasCalled, circumstances, gathers, serverLabels } = known
  if (gathers !== undefined) return undefined
  return {
    ...principalFacts(principal),
    ...factsOfCircumstances(circumstances),
    ...(serverLabels !== undefined &&
      serverLabels !== circumstances.classification && { serverLabels: labels(serverLabels) ?? {} }),
    // WHY: a name that is masked does not say any more whether it was one of a file.
    ...(permission !== permissionOn({ kind: target.kind }) && { permission }),
    ...(wasCalled === true && { called: true }),
    ...(alsoNeeded.length > 0 && { also: alsoNeeded.map(factsOfNeeded) }),
    ...(met !== undefined && met.size > 0 && { met: [...met] }),
  }
}

/** The parameters of a message, without what stands elsewhere in the entry. */
export function parametersOf({ message }: Pick<Inbound, 'message'>): Facts | undefined {
  if (message === undefined) return undefined
  const { _meta, name: _name, uri: _uri, ...rest } = message.params ?? {}
  return rest
}
