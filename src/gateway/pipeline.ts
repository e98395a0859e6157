/**
 * The security checklist: every line is one guard, in the order in which they are asked.
 * Stops: what each guard's header says. No logic lives here.
 * Trusts: the compiler: a guard before its facts, or a result that was not inspected, does not compile.
 * Fails: at the first guard that refuses or throws.
 */
import { createSeals } from './handles/seals.ts'
import { checklist, type KnownOf } from './checklist.ts'
import type { Ending } from './ending.ts'
import type { Arrival, Knock } from './arrival.ts'
import { admitAddress } from './guards/admit-address.ts'
import { admitOrigin } from './guards/admit-origin.ts'
import { authenticateCaller, type Authenticated } from './guards/authenticate-caller.ts'
import { authorizeCall } from './guards/authorize-call.ts'
import { authorizeServer } from './guards/authorize-server.ts'
import { awaitTurn } from './guards/await-turn.ts'
import { bindSession } from './guards/bind-session.ts'
import { bindHandles } from './guards/bind-handles.ts'
import { filterListing } from './guards/filter-listing.ts'
import { readConsents } from './flow/read-consents.ts'
import { readLabels } from './flow/read-labels.ts'
import { forward } from './guards/forward.ts'
import { gatherLabels } from './guards/gather-labels.ts'
import { inspectResult } from './guards/inspect-result.ts'
import { matchPinnedTool } from './guards/match-pinned-tool.ts'
import { readMessage } from './guards/read-message.ts'
import { recordIntent } from './guards/record-intent.ts'
import { heldRefusal, refuseHeld } from './guards/refuse-held.ts'
import { resolveMember } from './aggregate/resolve-member.ts'
import { resolveMembers } from './aggregate/resolve-members.ts'
import { resolveTarget } from './guards/resolve-target.ts'
import { spendBudget, takeBudget } from './guards/spend-budget.ts'
import { spendRate } from './guards/spend-rate.ts'
import { validateMirrors } from './guards/validate-mirrors.ts'
import { createMeet } from './remedies/meet.ts'
import type { Travelled } from './measure/trip.ts'
import { rememberOpened } from './remember-opened.ts'
import type { PipelineRooms } from './rooms.ts'
import { createTaskIds } from './handles/task-ids.ts'

/** What every arrival carries besides the request: the signal that ends it early, and what is noted on its way. */
export type Start = Arrival & Travelled & { readonly cut: Ending }

/** From the door to what a request is about. */
function createEntrance(rooms: PipelineRooms, handles: Parameters<typeof bindHandles>) {
  const { settings, identity, sealer, upstreams, policy, remedies, rates } = rooms
  const { classifications } = upstreams
  // WHY: asked of every request, whatever its path: there is no route beside it.
  const doorway = checklist<Knock>()
    .must(admitAddress({ settings, policy }, rates.byAddress))
    .must(admitOrigin(settings, rates.byAddress))
    .must(spendRate('spend-address-rate', rates.byAddress, ({ address }: Knock) => address))

  // WHY: one start for every exchange, on POST, GET and DELETE, in both eras: no entry point can forget a guard.
  const entrance = checklist<Start>()
    .mustAll(doorway)
    .must(authenticateCaller(identity))
    .must(spendRate('spend-principal-rate', rates.byPrincipal, ({ principal }: Authenticated) => principal))
    .must(readMessage(settings))
    .must(bindSession(rememberOpened(sealer)))
    .must(readLabels(policy))
    .must(readConsents({ policy, remedies }))

  // WHY: asked again for each server that one request reaches.
  const aims = checklist<KnownOf<typeof entrance>>()
    .must(bindHandles(...handles))
    .must(resolveTarget(upstreams.catalog, classifications))
    .must(refuseHeld({ policy, classifications }))
    .must(authorizeServer({ policy, classifications }))

  return { doorway, entrance, aims, straight: entrance.mustAll(aims) }
}

export function createPipeline(rooms: PipelineRooms) {
  const { settings, sealer, upstreams, policy, ledger, definitions, inFlight, turns, members } = rooms
  const { catalog, bundles, pins, classifications } = upstreams
  const taskIds = createTaskIds(sealer)
  const seals = createSeals(rooms)
  const heldNow = async (known: KnownOf<typeof straight>) => {
    await policy.refresh()
    return heldRefusal(policy, known)
  }
  const take = (known: KnownOf<typeof straight>) => takeBudget(policy, known)
  const meet = createMeet({ ...rooms, seals, heldNow, takeBudget: take })
  const { doorway, entrance, aims, straight } = createEntrance(rooms, [taskIds, seals])

  // WHY: calls, handshakes, notifications, replies and streams share one list; what is no tool passes the pin.
  const exchanges = checklist<KnownOf<typeof straight>>()
    .must(awaitTurn(turns))
    .must(matchPinnedTool(pins, definitions))
    .must(authorizeCall(policy, meet))
    .must(spendBudget(policy))
    .must(validateMirrors(pins))
    .must(gatherLabels(policy))
    .must(recordIntent(ledger))
    .must(forward(upstreams, inFlight, settings))
    .must(inspectResult({ sealer, definitions, inFlight, policy, pins, taskIds, seals }))

  // WHY: lists differ in their end only: each listed thing is judged as a call of it would be.
  const listings = checklist<KnownOf<typeof straight>>()
    .must(awaitTurn(turns))
    .must(authorizeCall(policy, meet))
    .must(gatherLabels(policy))
    .must(recordIntent(ledger))
    .must(forward(upstreams, inFlight, settings))
    .must(filterListing({ policy, pins, sealer, definitions, taskIds, classifications }))

  // WHY: the event stream of 2024-11-05 asks no server by itself: each message posted for it passes the lists above.
  const oldStreams = checklist<KnownOf<typeof straight>>()
    .must(awaitTurn(turns))
    .must(authorizeCall(policy, meet))
    .must(recordIntent(ledger))

  // WHY: where several servers answer, what is about one of them goes on as if it had come to that one.
  const crossings = checklist<KnownOf<typeof entrance>>().must(resolveMember({ catalog, bundles, pins }))

  // WHY: what is about all of them is asked of each by an exchange of its own, through the lists above.
  const meetings = checklist<KnownOf<typeof entrance>>()
    .must(resolveMembers({ catalog, bundles, policy, classifications }))
    .must(refuseHeld({ policy, classifications }))

  const gatherings = checklist<KnownOf<typeof meetings>>()
    .must(awaitTurn(turns))
    .must(recordIntent(ledger))
    .must(forward(members, inFlight, settings))
    .must(inspectResult({ sealer, definitions, inFlight, policy, pins, taskIds, seals }))

  return { doorway, entrance, aims, straight, exchanges, listings, oldStreams, crossings, meetings, gatherings }
}

/** The checklists of the data plane. */
export type PipelineLists = ReturnType<typeof createPipeline>
