/**
 * The security checklist: every line is one guard, in the order in which they are asked.
 * Stops: what each guard's header says. No logic lives here.
 * Trusts: the compiler: a guard before its facts, or a result that was not inspected, does not compile.
 * Fails: at the first guard that refuses or throws.
 */
import { checklist, type KnownOf } from './checklist.ts'
import type { Arrival } from './arrival.ts'
import { admitOrigin } from './guards/admit-origin.ts'
import { authenticateCaller } from './guards/authenticate-caller.ts'
import { authorizeCall } from './guards/authorize-call.ts'
import { authorizeServer } from './guards/authorize-server.ts'
import { bindSession } from './guards/bind-session.ts'
import { filterListing } from './guards/filter-listing.ts'
import { forward } from './guards/forward.ts'
import { inspectResult } from './guards/inspect-result.ts'
import { matchPinnedTool } from './guards/match-pinned-tool.ts'
import { readMessage } from './guards/read-message.ts'
import { recordIntent } from './guards/record-intent.ts'
import { refuseHeld } from './guards/refuse-held.ts'
import { resolveTarget } from './guards/resolve-target.ts'
import { validateMirrors } from './guards/validate-mirrors.ts'
import type { PipelineRooms } from './rooms.ts'

/** What every arrival carries besides the request: the signal that ends it early. */
export type Start = Arrival & { readonly cut: AbortSignal }

export function createPipeline(rooms: PipelineRooms) {
  const { settings, identity, sealer, upstreams, policy, ledger, definitions, inFlight } = rooms
  const { catalog, pins } = upstreams

  // WHY: one start for every exchange, on POST, GET and DELETE, in both eras: no entry point can forget a guard.
  const entrance = checklist<Start>()
    .must(admitOrigin(settings))
    .must(authenticateCaller(identity))
    .must(readMessage(settings))
    .must(bindSession(sealer))
    .must(resolveTarget(catalog))
    .must(refuseHeld(policy))
    .must(authorizeServer(policy))

  // WHY: calls, handshakes, notifications, replies and streams share one list; what is no tool passes the pin.
  const exchanges = checklist<KnownOf<typeof entrance>>()
    .must(matchPinnedTool(pins, definitions))
    .must(validateMirrors(pins))
    .must(authorizeCall(policy))
    .must(recordIntent(ledger))
    .must(forward(upstreams, inFlight, settings))
    .must(inspectResult({ sealer, definitions, inFlight, policy, pins }))

  // WHY: lists differ in their end only: each listed thing is judged as a call of it would be.
  const listings = checklist<KnownOf<typeof entrance>>()
    .must(authorizeCall(policy))
    .must(recordIntent(ledger))
    .must(forward(upstreams, inFlight, settings))
    .must(filterListing({ policy, pins, sealer, definitions }))

  return { entrance, exchanges, listings }
}
