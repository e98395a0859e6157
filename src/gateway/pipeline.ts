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
import { forward } from './guards/forward.ts'
import { inspectResult } from './guards/inspect-result.ts'
import { matchPinnedTool } from './guards/match-pinned-tool.ts'
import { readMessage } from './guards/read-message.ts'
import { recordIntent } from './guards/record-intent.ts'
import { refuseHeld } from './guards/refuse-held.ts'
import { resolveMember } from './guards/resolve-member.ts'
import { resolveMembers } from './guards/resolve-members.ts'
import { resolveTarget } from './guards/resolve-target.ts'
import { spendRate } from './guards/spend-rate.ts'
import { validateMirrors } from './guards/validate-mirrors.ts'
import { createStepUp } from './remedies/step-up.ts'
import type { Travelled } from './measure/trip.ts'
import { rememberOpened } from './remember-opened.ts'
import type { PipelineRooms } from './rooms.ts'
import { createTaskIds } from './handles/task-ids.ts'

/** What every arrival carries besides the request: the signal that ends it early, and what is noted on its way. */
export type Start = Arrival & Travelled & { readonly cut: Ending }

/** From the door to what a request is about. */
function createEntrance(rooms: PipelineRooms, handles: Parameters<typeof bindHandles>) {
  const { settings, identity, sealer, upstreams, policy, rates } = rooms
  // WHY: asked of every request, whatever its path: there is no route beside it.
  const doorway = checklist<Knock>()
    .must(admitAddress(settings, rates.byAddress))
    .must(admitOrigin(settings, rates.byAddress))
    .must(spendRate('spend-address-rate', rates.byAddress, ({ address }: Knock) => address))

  // WHY: one start for every exchange, on POST, GET and DELETE, in both eras: no entry point can forget a guard.
  const entrance = checklist<Start>()
    .mustAll(doorway)
    .must(authenticateCaller(identity))
    .must(spendRate('spend-principal-rate', rates.byPrincipal, ({ principal }: Authenticated) => principal))
    .must(readMessage(settings))
    .must(bindSession(rememberOpened(sealer)))

  // WHY: asked again for each server that one request reaches.
  const aims = checklist<KnownOf<typeof entrance>>()
    .must(bindHandles(...handles))
    .must(resolveTarget(upstreams.catalog))
    .must(refuseHeld(policy))
    .must(authorizeServer(policy))

  return { doorway, entrance, aims, straight: entrance.mustAll(aims) }
}

export function createPipeline(rooms: PipelineRooms) {
  const { settings, sealer, upstreams, policy, ledger, definitions, inFlight, turns, members } = rooms
  const { catalog, bundles, pins } = upstreams
  const taskIds = createTaskIds(sealer)
  const seals = createSeals(rooms)
  const stepUp = createStepUp({ ...rooms, seals })
  const { doorway, entrance, aims, straight } = createEntrance(rooms, [taskIds, seals])

  // WHY: calls, handshakes, notifications, replies and streams share one list; what is no tool passes the pin.
  const exchanges = checklist<KnownOf<typeof straight>>()
    .must(awaitTurn(turns))
    .must(matchPinnedTool(pins, definitions))
    .must(authorizeCall(policy, stepUp))
    .must(validateMirrors(pins))
    .must(recordIntent(ledger))
    .must(forward(upstreams, inFlight, settings))
    .must(inspectResult({ sealer, definitions, inFlight, policy, pins, taskIds, seals }))

  // WHY: lists differ in their end only: each listed thing is judged as a call of it would be.
  const listings = checklist<KnownOf<typeof straight>>()
    .must(awaitTurn(turns))
    .must(authorizeCall(policy, stepUp))
    .must(recordIntent(ledger))
    .must(forward(upstreams, inFlight, settings))
    .must(filterListing({ policy, pins, sealer, definitions, taskIds }))

  // WHY: the event stream of 2024-11-05 asks no server by itself: each message posted for it passes the lists above.
  const oldStreams = checklist<KnownOf<typeof straight>>()
    .must(awaitTurn(turns))
    .must(authorizeCall(policy, stepUp))
    .must(recordIntent(ledger))

  // WHY: where several servers answer, what is about one of them goes on as if it had come to that one.
  const crossings = checklist<KnownOf<typeof entrance>>().must(resolveMember({ catalog, bundles, pins }))

  // WHY: what is about all of them is asked of each by an exchange of its own, through the lists above.
  const meetings = checklist<KnownOf<typeof entrance>>()
    .must(resolveMembers({ catalog, bundles, policy }))
    .must(refuseHeld(policy))

  const gatherings = checklist<KnownOf<typeof meetings>>()
    .must(awaitTurn(turns))
    .must(recordIntent(ledger))
    .must(forward(members, inFlight, settings))
    .must(inspectResult({ sealer, definitions, inFlight, policy, pins, taskIds, seals }))

  return { doorway, entrance, aims, straight, exchanges, listings, oldStreams, crossings, meetings, gatherings }
}

/** The checklists of the data plane. */
export type PipelineLists = ReturnType<typeof createPipeline>
