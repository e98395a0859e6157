/**
 * The load: a process of its own that keeps a number of connections busy, one call at a time on each, and checks every
 * answer. Raw sockets, so that it never needs more of the machine than the subjects. Asked and answered over IPC.
 */
import { type Connection, openConnection } from './http-connection.ts'
import { fieldOf, type HttpMessage } from './http-reader.ts'
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

/** One question and its answer. */
function ask(target: LoadTarget, caller: Caller, message: unknown): Promise<HttpMessage> {
  const body = JSON.stringify(message)
  return new Promise((resolve, reject) => {
    const connection = openConnection(target.port, {
      onMessage(answer) {
        connection.end()
        resolve(answer)
      },
      onBroken: reject,
    })
    connection.send(headOf(target, caller, body.length) + body)
  })
}

async function openSession(target: LoadTarget, token: string | undefined): Promise<Caller> {
  const opened = await ask(target, { token, session: undefined }, handshake)
  const session = fieldOf(opened.head, 'mcp-session-id')
  if (session === undefined) throw new Error(`no session: ${opened.head}\n${opened.body}`)
  await ask(target, { token, session }, handshakeDone)
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

/** What a run finds out, call by call. */
class Findings {
  readonly latencies: number[] = []
  readonly problems: string[] = []
  errors = 0

  answered(tookMs: number): void {
    this.latencies.push(tookMs)
  }

  wrong(problem: string): void {
    this.errors += 1
    if (this.problems.length < 3) this.problems.push(problem)
  }

  summary(elapsedMs: number): LoadResult {
    const { latencies, errors, problems } = this
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
}

interface Busy {
  readonly target: LoadTarget
  readonly until: number
  readonly findings: Findings
}

/** Keeps one connection busy until the time is up. Resolves when the last call has its answer, or the line broke. */
function keepBusy(caller: Caller, { target, until, findings }: Busy): Promise<void> {
  const [before, after] = callParts(target.era)
  const head = headOf(target, caller, before.length + String(firstId).length + after.length) + before
  let id = 0
  let sentAt = 0
  return new Promise((resolve) => {
    const next = (connection: Connection): void => {
      sentAt = performance.now()
      if (sentAt >= until) {
        connection.end()
        return resolve()
      }
      id = lastId += 1
      connection.send(head + id + after)
    }
    const connection = openConnection(target.port, {
      onMessage(answer) {
        findings.answered(performance.now() - sentAt)
        if (!isAnswerTo(id, Number(answer.head.slice(9, 12)), answer.body)) {
          findings.wrong(`${answer.head}\n${answer.body}`)
        }
        next(connection)
      },
      onBroken(error) {
        findings.wrong(String(error))
        resolve()
      },
    })
    next(connection)
  })
}

async function run(order: LoadOrder): Promise<LoadResult> {
  const { target, seconds } = order
  const findings = new Findings()
  const open = await callersFor(order)
  const startedAt = performance.now()
  const busy = { target, until: startedAt + seconds * 1000, findings }
  await Promise.all(open.map((caller) => keepBusy(caller, busy)))
  return findings.summary(performance.now() - startedAt)
}

process.on('message', (order: LoadOrder) => {
  run(order).then(
    (result) => process.send?.(result),
    (error: unknown) => process.send?.({ failed: String(error) }),
  )
})
