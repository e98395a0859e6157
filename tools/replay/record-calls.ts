/**
 * Calls as the gateway records them: decided by its own guards under the policy in force, and written by what writes the
 * entries of real calls.
 */
import type { Ledger } from '#audit'
import { createId, isRefusal, type Principal, type Refusal } from '#kernel'
import type { Policy } from '#policy'
import type { Random } from '../fuzz/random.ts'
import { Ending } from '../../src/gateway/ending.ts'
import { callCompleted, callIntended } from '../../src/gateway/events.ts'
import { decideAim, type Denial } from '../../src/gateway/guards/authorize-call.ts'
import { serverRefusal } from '../../src/gateway/guards/authorize-server.ts'
import { recordIntent } from '../../src/gateway/guards/record-intent.ts'
import { Trip } from '../../src/gateway/measure/trip.ts'
import { recordRefused } from '../../src/gateway/reconcile/record-end.ts'
import { argumentsOf, type Call, type Caller } from './words.ts'

/** A call and what became of it. */
export interface Recorded {
  readonly call: Call
  readonly seq: number
  readonly wasAllowed: boolean
}

const principals = new WeakMap<Caller, Principal>()

function principalOf(caller: Caller): Principal {
  const known = principals.get(caller)
  if (known !== undefined) return known
  const { id, name, roles, groups, factors, factorsAt, isService, isSelfRegistered } = caller
  const principal: Principal = {
    id,
    name,
    roles,
    factors,
    ...(groups.length > 0 && { groups }),
    ...(factorsAt !== undefined && { factorsAt }),
    ...(isService && { isService: true }),
    ...(isSelfRegistered !== undefined && { client: { id: 'c1', name: 'agent', scopes: ['mcp'], isSelfRegistered } }),
    credential: { kind: 'oauth-token', id: 't1', expiresAt: 0 },
  }
  principals.set(caller, principal)
  return principal
}

/** What the guards would have learned of the call. */
function knownOf(call: Call) {
  const { caller, upstream, tool, classification, address, flow, at } = call
  const callArguments = argumentsOf(call)
  const params = { name: tool, arguments: callArguments }
  return {
    exchangeId: createId(at),
    address,
    serverName: upstream,
    httpMethod: 'POST',
    era: 'legacy',
    version: '2025-11-25',
    trip: new Trip(),
    cut: new Ending(),
    message: { kind: 'request', id: 1, method: 'tools/call', name: tool, params },
    principal: principalOf(caller),
    upstream: { name: upstream, transport: 'http', environment: {}, isDemo: false },
    target: { upstream, kind: 'tool', name: tool },
    permission: 'tools:call',
    alsoNeeded: [],
    circumstances: { classification, callArguments, address, flow, consents: new Set<string>() },
  } as const
}

type Known = ReturnType<typeof knownOf>

async function refuseIt(ledger: Ledger, known: Known, guard: string, refusal: Refusal): Promise<number> {
  const clock = { now: () => Date.parse('2026-01-01') }
  const outcome = { isRefused: true, known, guard, refusal } as never
  const { entry } = await recordRefused({ ledger, clock }, { startedAt: 0, cut: known.cut, trip: known.trip }, outcome)
  if (entry === undefined) throw new Error('a refusal is not on record')
  return entry
}

const none: ReadonlySet<string> = new Set()

/** The rules of a denial whose remedies its person met, all of them. */
function metOf(denial: Denial, { met }: Call): ReadonlySet<string> {
  const rules = denial.remedies.map(({ rule }) => rule)
  return rules.length > 0 && rules.every((rule) => met.has(rule)) ? new Set(rules) : none
}

/** Decides a call as the guards do, and records it. @returns the call with the remedies that counted */
export async function recordCall(ledger: Ledger, policy: Policy, call: Call): Promise<Recorded> {
  const known = knownOf(call)
  const { principal } = known
  const classifications = { of: () => call.classification }
  const server = serverRefusal({ policy, classifications }, known as never)
  if (server !== undefined) {
    return {
      call: { ...call, met: none },
      wasAllowed: false,
      seq: await refuseIt(ledger, known, 'authorize-server', server),
    }
  }
  const first = decideAim(policy, principal, known as never)
  const met = isRefusal(first) ? metOf(first, call) : new Set<string>()
  const decision = met.size === 0 ? first : decideAim(policy, principal, known as never, met)
  if (isRefusal(decision)) {
    return {
      call: { ...call, met: none },
      wasAllowed: false,
      seq: await refuseIt(ledger, known, 'authorize-call', decision),
    }
  }
  const learned = { ...known, decision: { ...decision, met } }
  const intended = await recordIntent(ledger).check(learned as never)
  if (isRefusal(intended)) throw new Error(intended.code)
  const { seq } = intended.intent
  void ledger.appendSoon(callCompleted, {
    exchange: known.exchangeId,
    principal,
    outcome: 'succeeded',
    details: { intent: seq },
  })
  return { call: { ...call, met }, seq, wasAllowed: true }
}

/** What else a ledger holds: entries of before decisions were recorded in full, and refusals that no policy made. */
export async function recordNoise(ledger: Ledger, random: Random, call: Call): Promise<'old' | 'other'> {
  const { exchangeId: exchange, principal, target, address } = knownOf(call)
  if (random.oneIn(2)) {
    const details = {
      method: 'tools/call',
      rules: ['role:r0#1'],
      snapshot: 1,
      parameters: { arguments: argumentsOf(call) },
    }
    await ledger.append(callIntended, { exchange, principal, target, address, outcome: 'intended', details })
    return 'old'
  }
  await refuseIt(ledger, knownOf(call), 'match-pinned-tool', {
    kind: 'refusal',
    code: 'gateway.held',
    says: '',
    hint: '',
    status: 403,
    detail: {},
  } as never)
  return 'other'
}
