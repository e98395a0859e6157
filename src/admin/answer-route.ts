import type { IncomingMessage } from 'node:http'
import { isRefusal, type Principal, type Refusal } from '#kernel'
import { admitCaller, decideAccess } from './access.ts'
import { problemResponse } from './problem.ts'
import { readJson } from './read-body.ts'
import { recordFault, recordRefusal, type Occasion } from './record.ts'
import type { Rooms } from './rooms.ts'
import type { Caller, RawFields, Route } from './route.ts'

/** A request that has found its route. */
export interface Arrival {
  readonly occasion: Occasion
  readonly incoming: IncomingMessage
  readonly params: RawFields['params']
  readonly query: RawFields['query']
  readonly signal: AbortSignal
}

function callerOf(rooms: Rooms, arrival: Arrival, principal: Principal | undefined): Caller {
  const { occasion, incoming } = arrival
  return {
    rooms,
    requestId: occasion.requestId,
    address: occasion.address,
    agent: incoming.headers['user-agent'],
    signal: arrival.signal,
    principal,
    allow: (permission) => (principal === undefined ? undefined : decideAccess(rooms, principal, permission)),
  }
}

/** Access first, then the body, then the work: a stranger's body is never parsed on a closed route. */
async function runRoute(rooms: Rooms, route: Route, arrival: Arrival, principal: Principal | undefined) {
  const read = await readJson(arrival.incoming, route.maxBodyBytes)
  if (isRefusal(read)) return read
  const raw = { params: arrival.params, query: arrival.query, body: read.json }
  return route.run(callerOf(rooms, arrival, principal), raw)
}

/** Lines as they come; one that says what broke ends them where something did. */
async function* writeLines(rooms: Rooms, occasion: Occasion, lines: AsyncIterable<unknown>): AsyncGenerator<string> {
  try {
    for await (const line of lines) yield `${JSON.stringify(line)}\n`
  } catch (error) {
    const { code } = await recordFault(rooms, occasion, error)
    yield `${JSON.stringify({ kind: 'broken', code, requestId: occasion.requestId })}\n`
  }
}

function linesResponse(rooms: Rooms, occasion: Occasion, lines: AsyncIterable<unknown>): Response {
  const bytes = ReadableStream.from(writeLines(rooms, occasion, lines)).pipeThrough(new TextEncoderStream())
  return new Response(bytes, { headers: { 'content-type': 'application/x-ndjson' } })
}

/** The answer of one route, good or refused; every refusal is in the ledger before it is sent, once. */
export async function answerRoute(rooms: Rooms, route: Route, arrival: Arrival): Promise<Response> {
  const { occasion } = arrival
  const refused = async (refusal: Refusal, principal?: Principal) =>
    problemResponse(await recordRefusal(rooms, occasion, refusal, principal), occasion.requestId)
  const { principal, refusal } = await admitCaller(rooms, route.access, {
    authorization: arrival.incoming.headers.authorization,
    address: occasion.address,
    isRegistering: route.isForRegistering,
  })
  if (refusal !== undefined) return refused(refusal, principal)
  const answer = await runRoute(rooms, route, arrival, principal)
  if (isRefusal(answer)) {
    // WHY: what another room or this one refused on the way is on no record yet.
    const isRecorded = route.recordsOwnRefusals && answer.code.startsWith('identity.')
    return isRecorded ? problemResponse(answer, occasion.requestId) : refused(answer, principal)
  }
  if (route.isStream) return linesResponse(rooms, occasion, answer as AsyncIterable<unknown>)
  return Response.json(answer, { status: route.status })
}
