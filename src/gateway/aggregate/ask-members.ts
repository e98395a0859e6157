/**
 * What do several servers answer to one question?
 * Stops: one server that is slow, broken or held keeping the answers of the others away.
 * Trusts: legs to be judged and recorded each by itself.
 * Fails: server by server: who gives no answer in time is named with the reason, and the others are told.
 */
import { type Refusal, refuse } from '#kernel'
import { isObject, isProblem, type Message, readMessage, readUpstreamMessage } from '#protocol'
import type { EndSignal, UpstreamAnswer, UpstreamRecord, UpstreamRequest } from '#upstream'
import { Ending } from '../ending.ts'
import type { Caller } from './resolve-members.ts'
import { gatewayRefusals } from '../refusals.ts'
import type { Leg, LegEnd } from './leg.ts'

/** One request that several servers answer together. */
export interface Gathering {
  readonly caller: Caller
  readonly members: readonly UpstreamRecord[]
  readonly message: Message
  readonly request: Pick<UpstreamRequest, 'headers' | 'signal' | 'deadlineMs' | 'maxAnswerBytes'>
}

/** A server that has no part in an answer, and why: as the client is told. */
export interface Absent {
  readonly server: string
  readonly code: string
  readonly says: string
}

/** What one server answered. */
export interface Told {
  readonly upstream: string
  readonly text: string
  readonly result: Record<string, unknown>
}

/** Params of its own for a server; undefined leaves the server out. */
export type ParamsFor = (upstream: string) => Record<string, unknown> | undefined

const mostAtOnce = 8
/** A list is put together of what comes in this time. */
const longestWaitMs = 10_000
const methodNotFound = -32601

function isNothing(error: unknown): boolean {
  return isObject(error) && error['code'] === methodNotFound
}

export function absentFor(server: string, { code, says }: Pick<Refusal, 'code' | 'says'>): Absent {
  return { server, code, says }
}

/** The request as one server gets it. WHY: what a client says of itself goes along, what it wants told meanwhile does not. */
export function legMessage({ message }: Pick<Gathering, 'message'>, params: Record<string, unknown>): Message {
  const { progressToken: _token, ...meta } = isObject(message.params?.['_meta']) ? message.params['_meta'] : {}
  const text = JSON.stringify({
    jsonrpc: '2.0',
    id: 'castellan',
    method: message.method,
    params: { ...params, _meta: meta },
  })
  const read = readMessage(text)
  if (isProblem(read)) throw new Error(read.problem)
  return read
}

/** What all legs have of one request. */
export function legOf(gathering: Gathering, upstream: string, params: Record<string, unknown>): Omit<Leg, 'signal'> {
  const { caller, request } = gathering
  const message = legMessage(gathering, params)
  return {
    caller,
    serverName: upstream,
    message,
    body: Buffer.from(message.text),
    headers: request.headers,
    joint: { address: caller.serverName, outward: () => undefined, isLeg: true },
  }
}

/** The one response in an answer, read to its end. */
async function responseIn(answer: UpstreamAnswer): Promise<Message | undefined> {
  let response: Message | undefined
  for await (const frame of answer.frames) {
    const message = frame.body === '' ? undefined : readUpstreamMessage(frame.body)
    if (message !== undefined && !isProblem(message) && message.kind === 'response') response ??= message
  }
  return response
}

function toldBy(upstream: string, response: Message | undefined): Told | Absent | undefined {
  const { result, error } = response?.json ?? {}
  if (response !== undefined && isObject(result)) return { upstream, text: response.text, result }
  if (isNothing(error)) return undefined
  return absentFor(upstream, refuse(gatewayRefusals.upstreamMisbehaved, { names: { server: upstream } }))
}

function isHereafter(signal: EndSignal, cut: Ending): () => void {
  const end = (): void => cut.end()
  if (signal.aborted) end()
  signal.addEventListener('abort', end, { once: true })
  return () => signal.removeEventListener('abort', end)
}

export interface AskingRooms {
  readonly runLeg: (leg: Leg) => Promise<LegEnd>
}

/** Asks one server. @returns undefined when it offers nothing of the kind */
async function ask(rooms: AskingRooms, gathering: Gathering, upstream: string, params: Record<string, unknown>) {
  const { signal, deadlineMs } = gathering.request
  const cut = new Ending()
  const letGo = isHereafter(signal, cut)
  const late = refuse(gatewayRefusals.upstreamTimeout, { names: { server: upstream } })
  const answered = async (): Promise<Told | Absent | undefined> => {
    const end = await rooms.runLeg({ ...legOf(gathering, upstream, params), signal: cut, cut })
    if ('refusal' in end) {
      const { refusal } = end
      return 'wire' in refusal && refusal.wire.code === methodNotFound ? undefined : absentFor(upstream, refusal)
    }
    return toldBy(upstream, await responseIn(end.answer))
  }
  let timer: NodeJS.Timeout | undefined
  const inTime = new Promise<Absent>((resolve) => {
    const giveUp = (): void => {
      cut.end(late)
      resolve(absentFor(upstream, late))
    }
    timer = setTimeout(giveUp, Math.min(deadlineMs, longestWaitMs))
  })
  try {
    return await Promise.race([answered().catch(() => absentFor(upstream, refuse(gatewayRefusals.fault))), inTime])
  } finally {
    clearTimeout(timer)
    letGo()
  }
}

/** Asks the servers, some at once. @returns what was told and who is absent, both in the order of the members */
export async function askMembers(
  rooms: AskingRooms,
  gathering: Gathering,
  paramsFor: ParamsFor,
): Promise<{ told: Told[]; absent: Absent[] }> {
  const asked = gathering.members.flatMap(({ name }) => {
    const params = paramsFor(name)
    return params === undefined ? [] : [{ name, params }]
  })
  const answers: (Told | Absent | undefined)[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let at = next++; at < asked.length; at = next++) {
      const { name, params } = asked[at] as (typeof asked)[number]
      answers[at] = await ask(rooms, gathering, name, params)
    }
  }
  await Promise.all(Array.from({ length: Math.min(mostAtOnce, asked.length) }, work))
  const all = answers.filter((answer) => answer !== undefined)
  return {
    told: all.filter((answer): answer is Told => 'result' in answer),
    absent: all.filter((answer): answer is Absent => 'server' in answer),
  }
}
