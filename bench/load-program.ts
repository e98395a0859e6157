/**
 * The load: a process of its own that keeps a number of connections busy, one call at a time on each, and checks every
 * answer. Raw sockets, so that it never needs more of the machine than the subjects. Asked and answered over IPC.
 */
import { connect, type Socket } from 'node:net'
import { createHttpReader, fieldOf, type HttpMessage } from './http-reader.ts'
import { callHeaders, callParts, firstId, handshake, handshakeDone, isAnswerTo } from './messages.ts'
import type { LoadOrder, LoadResult, LoadTarget } from './load.ts'
import { quantile } from './statistics.ts'

/** Who calls on one connection. */
interface Caller {
  readonly token: string | undefined
  readonly session: string | undefined
}

const callers = new Map<string, Caller[]>()
let lastId = firstId

interface Connection {
  ask(request: string): Promise<HttpMessage>
  end(): void
}

function openConnection({ port }: LoadTarget): Connection {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let settle: { resolve: (message: HttpMessage) => void; reject: (error: Error) => void } | undefined
  const read = createHttpReader((message) => {
    const waiting = settle
    settle = undefined
    waiting?.resolve(message)
  })
  const fail = (error: Error): void => {
    const waiting = settle
    settle = undefined
    waiting?.reject(error)
  }
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => read(text))
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the connection was closed')))
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject }
        if (socket.destroyed) fail(new Error('the connection was closed'))
        else socket.write(request, 'latin1')
      }),
    end: () => socket.destroy(),
  }
}

function headOf(target: LoadTarget, { token, session }: Caller, length: number): string {
  const fields = {
    host: target.host,
    'user-agent': 'bench',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(session === undefined ? {} : { 'mcp-session-id': session }),
    ...callHeaders(target.era),
    'content-length': String(length),
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
  return `POST ${target.path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}

async function openSession(target: LoadTarget, token: string | undefined): Promise<Caller> {
  const connection = openConnection(target)
  const send = (session: string | undefined, message: unknown): Promise<HttpMessage> => {
    const body = JSON.stringify(message)
    return connection.ask(headOf(target, { token, session }, body.length) + body)
  }
  const opened = await send(undefined, handshake)
  const session = fieldOf(opened.head, 'mcp-session-id')
  if (session === undefined) throw new Error(`no session: ${opened.head}\n${opened.body}`)
  await send(session, handshakeDone)
  connection.end()
  return { token, session }
}

/** One for each connection; sessions outlive the connections, as the protocol has it. */
async function callersFor({ target, connections }: LoadOrder): Promise<readonly Caller[]> {
  const key = `${target.port} ${target.era}`
  const known = callers.get(key) ?? []
  callers.set(key, known)
  while (known.length < connections) {
    const token = target.tokens[known.length % target.tokens.length]
    known.push(target.era === 'legacy' ? await openSession(target, token) : { token, session: undefined })
  }
  return known.slice(0, connections)
}

async function run(order: LoadOrder): Promise<LoadResult> {
  const { target, seconds } = order
  const [before, after] = callParts(target.era)
  const latencies: number[] = []
  const problems: string[] = []
  let errors = 0
  const open = await callersFor(order)
  const startedAt = performance.now()
  const until = startedAt + seconds * 1000

  async function keepBusy(caller: Caller): Promise<void> {
    const connection = openConnection(target)
    const id = (lastId += 1)
    const head = headOf(target, caller, before.length + String(id).length + after.length) + before
    for (let now = performance.now(), next = id; now < until; next = lastId += 1) {
      const { head: answered, body } = await connection.ask(head + next + after)
      const done = performance.now()
      latencies.push(done - now)
      now = done
      if (isAnswerTo(next, Number(answered.slice(9, 12)), body)) continue
      errors += 1
      if (problems.length < 3) problems.push(`${answered}\n${body}`)
    }
    connection.end()
  }

  const outcomes = await Promise.allSettled(open.map(keepBusy))
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') continue
    errors += 1
    problems.push(String(outcome.reason))
  }
  const elapsedMs = performance.now() - startedAt
  latencies.sort((one, other) => one - other)
  return {
    calls: latencies.length,
    errors,
    problems,
    perSecond: (latencies.length / elapsedMs) * 1000,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
  }
}

process.on('message', (order: LoadOrder) => {
  run(order).then(
    (result) => process.send?.(result),
    (error: unknown) => process.send?.({ failed: String(error) }),
  )
})
