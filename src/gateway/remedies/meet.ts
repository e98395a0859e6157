/**
 * May a call pass that is denied until somebody agrees? Once, with what was given for exactly this call.
 * Stops: a second use of a proof or an approval, also by two at once on two nodes; links for whoever could not use one; a
 * call passing with a part of what several rules ask for; an approval used up for a call that a budget refuses.
 * Trusts: identity for proofs, policy for what approvers and persons gave; policy, asked before, for whether it would help.
 * Fails: closed: what was given is used up before anything is passed on, and lost with what breaks after.
 * @see docs/decisions/0043-what-people-can-do-about-a-denial.md
 */
import type { AskedStepUp, Identity, JudgedCall, SpentStepUp } from '#identity'
import { isRefusal, type Refusal, refuse } from '#kernel'
import type { AskedCall, Remedies, Remedy, SpentRemedies } from '#policy'
import type { Ending } from '../ending.ts'
import type { Session } from '../guards/bind-session.ts'
import type { Spent } from '../guards/spend-budget.ts'
import type { Seals } from '../handles/seals.ts'
import { passGoingOn } from '../handles/states.ts'
import { gatewayRefusals } from '../refusals.ts'
import { awaitGiven } from './await-given.ts'
import { type Caller, judgedCall } from './judged-call.ts'
import { ownAnswer } from './own-answer.ts'
import { canRedact } from './redact.ts'
import { type Needs, tellNeeds } from './tell-needs.ts'

export interface MeetRooms {
  readonly identity: { readonly stepUps: Identity['stepUps']; readonly notices: Pick<Identity['notices'], 'tell'> }
  readonly remedies: Pick<Remedies, 'ask' | 'isReady' | 'spend' | 'goOn'>
  readonly database: { revision(): number }
  /** The refusal for whatever was stopped while somebody was waited for. */
  heldNow(known: Stepping): Promise<Refusal | undefined>
  /** Takes what the call costs out of its budgets. */
  takeBudget(known: Stepping): Spent | Refusal | Promise<Spent | Refusal>
  readonly seals: Seals
  readonly settings: { readonly current: { readonly publicUrl: string } }
}

export type Stepping = Caller & Session & { readonly cut: Ending }

/** What a call passed with, used up. */
export interface Given {
  readonly stepUp?: SpentStepUp | undefined
  readonly spent?: SpentRemedies | undefined
}

export interface Met extends Given {
  /** What the call took out of its budgets; the caller gives it back where the call does not go on. */
  readonly budget?: Spent | undefined
  /** The rules that do not deny it any more. */
  readonly rules: ReadonlySet<string>
  /** Names of members whose values have to be taken out of the answer. */
  readonly redact?: readonly string[]
}

/** A denial that all of these remedies, together, would lift. */
type Denied = Refusal & { readonly remedies: readonly Remedy[] }

/** Uses up what was given for this call, or refuses with what has to be done. */
export type Meet = (known: Stepping, denied: Denied) => Promise<Met | Refusal>

interface Needed {
  readonly known: Stepping
  readonly denied: Denied
  readonly call: JudgedCall
  readonly asked: AskedCall
  readonly isAsked: boolean
  readonly needsProof: boolean
}

/** The denial for whoever cannot do anything about it: as for what was never granted. */
function notUsable({ target }: Pick<Caller, 'target'>, denied: Refusal): Refusal {
  const names = { kind: target.kind, name: target.name ?? '', server: target.upstream }
  return refuse(gatewayRefusals.notGranted, { names, detail: { ...denied.detail, reason: 'no-remedy-here' } })
}

function neededFor(known: Stepping, denied: Denied): Needed | undefined {
  const asking = denied.remedies.filter(({ kind }) => kind !== 'redact')
  const call = judgedCall(known)
  // INVARIANT: a program has nobody who could prove, justify or consent for it; approvers are others.
  const isUsable = known.principal.isService !== true || asking.every(({ kind }) => kind === 'approval')
  if (call === undefined || !isUsable) return undefined
  const given = asking.filter(({ kind }) => kind !== 'step-up')
  const asked = { ...call, snapshot: Number(denied.detail['snapshot']), remedies: given }
  return { known, denied, call, asked, isAsked: given.length > 0, needsProof: given.length < asking.length }
}

type Used = Given & { readonly budget: Spent }
type GoingOn = NonNullable<ReturnType<typeof passGoingOn>>

/** Makes what uses things up: for a call that begins, and for one that goes on. */
function createUse({ identity, remedies, seals, takeBudget }: MeetRooms) {
  const { stepUps } = identity

  async function isGiven({ call, asked, isAsked, needsProof }: Needed): Promise<boolean> {
    return (!isAsked || (await remedies.isReady(asked))) && (!needsProof || (await stepUps.hasProof(call)))
  }

  async function useAll({ call, asked, isAsked, needsProof }: Needed): Promise<Given | undefined> {
    const used = isAsked ? await remedies.spend(asked) : undefined
    // INVARIANT: whoever did not get the first gets none of the rest: two at once cannot take one each.
    if (isAsked && used === undefined) return undefined
    const stepUp = needsProof ? await stepUps.spend(call) : undefined
    return needsProof && stepUp === undefined ? undefined : { stepUp, spent: used }
  }

  async function goOn({ call, asked, isAsked, needsProof }: Needed, kept: GoingOn): Promise<Given | undefined> {
    const stepUp = needsProof && kept.stepUp ? await stepUps.goOn(kept.stepUp.id, kept.stepUp.round, call) : undefined
    if (needsProof && stepUp === undefined) return undefined
    const { id, round } = kept.remedies ?? { id: undefined, round: 0 }
    const used = !isAsked
      ? undefined
      : await (id === undefined ? remedies.spend(asked) : remedies.goOn(id, round, asked))
    return isAsked && used === undefined ? undefined : { stepUp, spent: used }
  }

  async function use(needed: Needed): Promise<Used | Refusal | undefined> {
    const kept = passGoingOn(needed.known, seals)
    if (kept === undefined && !(await isGiven(needed))) return undefined
    // INVARIANT: what people gave is used up last: a call that a budget refuses leaves it where it is.
    const budget = await takeBudget(needed.known)
    if (isRefusal(budget)) return budget
    let given: Given | undefined
    try {
      given = kept && (await goOn(needed, kept))
      if (given === undefined && (kept === undefined || (await isGiven(needed)))) given = await useAll(needed)
    } finally {
      if (given === undefined) budget.spending?.giveBack()
    }
    return given && { ...given, budget }
  }

  return { isGiven, use }
}

function needsOf(url: string, asked: Asking, isService: boolean): Needs {
  const { remedy, stepUp } = asked
  const at = (path: string): string | undefined => (isService ? undefined : `${url}/${path}`)
  const until = (ms: number): string => new Date(ms).toISOString()
  const proof = stepUp && { id: stepUp.id, url: at(`step-up/${stepUp.id}`), expiresAt: until(stepUp.expiresAt) }
  const missing = remedy?.missing.map(({ kind, count }) => ({ kind, count }))
  const given = remedy && {
    id: remedy.id,
    url: at(`remedies/${remedy.id}`),
    expiresAt: until(remedy.expiresAt),
    missing,
  }
  const first = given ?? proof
  return {
    id: first?.id ?? '',
    url: first?.url,
    data: { ...(given === undefined ? {} : { remedy: given }), ...(proof === undefined ? {} : { stepUp: proof }) },
    detail: {
      ...(remedy === undefined ? {} : { remedy: remedy.id }),
      ...(stepUp === undefined ? {} : { stepUp: stepUp.id }),
    },
  }
}

type Asking = {
  readonly remedy: Exclude<Awaited<ReturnType<Remedies['ask']>>, Refusal> | undefined
  readonly stepUp: AskedStepUp | undefined
}

/** Asks for all that is missing. */
function createAsking({ identity, remedies }: MeetRooms) {
  return async ({ known, call, asked, isAsked, needsProof }: Needed): Promise<Asking | Refusal> => {
    const remedy = isAsked && !(await remedies.isReady(asked)) ? await remedies.ask(asked) : undefined
    if (isRefusal(remedy)) return remedy
    if (remedy !== undefined && remedy.toTell.length > 0) {
      const { target, principal } = known
      const details = { name: principal.name, tool: target.name ?? '', server: target.upstream }
      await identity.notices.tell(remedy.toTell, 'approval-asked', details)
    }
    const stepUp = needsProof && !(await identity.stepUps.hasProof(call)) ? await identity.stepUps.ask(call) : undefined
    return isRefusal(stepUp) ? stepUp : { remedy, stepUp }
  }
}

export function createMeet(rooms: MeetRooms): Meet {
  const { database, settings } = rooms
  const { isGiven, use } = createUse(rooms)
  const askFor = createAsking(rooms)

  async function ask(needed: Needed): Promise<Used | Refusal> {
    const { known, denied } = needed
    const asked = await askFor(needed)
    // WHY: the entry says that policy denied it, and by which rules, whatever came of asking.
    if (isRefusal(asked)) return { ...asked, detail: { ...denied.detail, ...asked.detail } }
    const needs = needsOf(settings.current.publicUrl, asked, known.principal.isService === true)
    const said = known.message === undefined ? undefined : ownAnswer(known.message)
    if (said === 'declined') {
      return refuse(gatewayRefusals.stepUpDeclined, { detail: { ...denied.detail, ...needs.detail } })
    }
    const waiting = { isGiven: () => isGiven(needed), revision: () => database.revision() }
    const given = said === 'accepted' && (await awaitGiven(known, waiting)) ? await use(needed) : undefined
    return given ?? tellNeeds(known, denied, needs)
  }

  return async (known, denied) => {
    const redact = [...new Set(denied.remedies.flatMap(({ fields = [] }) => fields))]
    if (redact.length > 0 && !canRedact(known)) return notUsable(known, denied)
    const met = {
      rules: new Set(denied.remedies.map(({ rule }) => rule)),
      ...(redact.length === 0 ? {} : { redact }),
    }
    if (denied.remedies.every(({ kind }) => kind === 'redact')) return met
    const needed = neededFor(known, denied)
    if (needed === undefined) return notUsable(known, denied)
    const given = (await use(needed)) ?? (await ask(needed))
    if (isRefusal(given)) return given
    const held = await rooms.heldNow(known)
    if (held !== undefined) given.budget.spending?.giveBack()
    return held ?? { ...met, ...given }
  }
}
