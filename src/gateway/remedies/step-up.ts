/**
 * May a call pass that is denied for want of a fresh factor? Once, with a proof that its person made for exactly this call.
 * Stops: a second use of a proof, also by two at once on two nodes; links for whoever could not use one.
 * Trusts: identity for proofs; policy, asked before, for whether a proof would help at all.
 * Fails: closed: a proof is used up before anything is passed on, and lost with what breaks after.
 * @see docs/decisions/0037-step-up-is-a-remedy.md
 */
import type { Identity, JudgedCall, SpentStepUp } from '#identity'
import { isRefusal, type Refusal, refuse } from '#kernel'
import type { Ending } from '../ending.ts'
import type { Session } from '../guards/bind-session.ts'
import type { Seals } from '../handles/seals.ts'
import { proofGoingOn } from '../handles/states.ts'
import { gatewayRefusals } from '../refusals.ts'
import { askForProof } from './ask-for-proof.ts'
import { awaitProof } from './await-proof.ts'
import { type Caller, judgedCall } from './judged-call.ts'
import { ownAnswer } from './own-answer.ts'

export interface StepUpRooms {
  readonly identity: { readonly stepUps: Identity['stepUps'] }
  readonly database: { revision(): number }
  readonly seals: Seals
  readonly settings: { readonly current: { readonly publicUrl: string } }
}

export type Stepping = Caller & Session & { readonly cut: Ending }

/** Uses up the proof for this call, or refuses with what has to be done. */
export type StepUp = (known: Stepping, denied: Refusal) => Promise<SpentStepUp | Refusal>

/** The denial for whoever cannot prove anything: as for what was never granted. */
export function notUsable({ target }: Pick<Caller, 'target'>, denied: Refusal): Refusal {
  const names = { kind: target.kind, name: target.name ?? '', server: target.upstream }
  return refuse(gatewayRefusals.notGranted, { names, detail: { ...denied.detail, reason: 'no-step-up-here' } })
}

export function createStepUp({ identity, database, settings, seals }: StepUpRooms): StepUp {
  const { stepUps } = identity

  async function ask(known: Stepping, call: JudgedCall, denied: Refusal): Promise<SpentStepUp | Refusal> {
    const asked = await stepUps.ask(call)
    if (isRefusal(asked)) return asked
    const said = known.message === undefined ? undefined : ownAnswer(known.message)
    if (said === 'declined') {
      return refuse(gatewayRefusals.stepUpDeclined, { detail: { ...denied.detail, stepUp: asked.id } })
    }
    const waiting = { isProven: () => stepUps.isProven(asked.id), revision: () => database.revision() }
    const spent = said === 'accepted' && (await awaitProof(known, waiting)) ? await stepUps.spend(call) : undefined
    if (spent !== undefined) return spent
    const url = `${settings.current.publicUrl}/step-up/${asked.id}`
    return askForProof(known, denied, { asked, url })
  }

  return async (known, denied) => {
    const call = judgedCall(known)
    if (call === undefined) return notUsable(known, denied)
    const goesOn = proofGoingOn(known, seals)
    const passed = goesOn && (await stepUps.goOn(goesOn.id, goesOn.round, call))
    return passed ?? (await stepUps.spend(call)) ?? ask(known, call, denied)
  }
}
