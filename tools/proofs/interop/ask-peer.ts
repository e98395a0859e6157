/** Puts a subject's questions to it through one client, and says which of them were answered as they have to be. */
import type { Peer, PeerKind, Door } from './clients.ts'
import type { Subject } from './servers.ts'

const questions = ['connect', 'list', 'call', 'resource', 'prompt', 'question', 'progress'] as const
type Question = (typeof questions)[number]

export interface Cell {
  readonly client: string
  readonly server: string
  readonly path: string
  /** What was asked, with what went wrong; undefined when nothing did. */
  readonly outcomes: Readonly<Partial<Record<Question, string | undefined>>>
  readonly holds: boolean
  readonly ms: number
}

const longestMs = 60_000

function within<Value>(work: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${longestMs / 1000} s`)), longestMs)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

function mustHold(text: string, part: string): void {
  if (!text.includes(part)) throw new Error(`\`${part}\` is not in ${text.slice(0, 300)}`)
}

type Asked = readonly [question: Question, ask: () => Promise<void>]

/** @param name of a tool or prompt as this path offers it */
function questionsFor(peer: Peer, subject: Subject, name: (own: string) => string, isAlone: boolean): Asked[] {
  const { call, resource, prompt, question, progress } = subject
  const { readResource, getPrompt, countProgress } = peer
  const asked: Asked[] = [
    ['list', async () => mustHold(await peer.listTools(), `"${name(call.tool)}"`)],
    ['call', async () => mustHold(await peer.callTool(name(call.tool), call.arguments), call.answer)],
  ]
  // WHY: addresses of an aggregate are its own; what it lists is read by the tests of aggregation.
  if (resource !== undefined && readResource !== undefined && isAlone) {
    asked.push(['resource', async () => mustHold(await readResource(resource.uri), resource.answer)])
  }
  if (prompt !== undefined && getPrompt !== undefined) {
    asked.push(['prompt', async () => mustHold(await getPrompt(name(prompt.name)), prompt.answer)])
  }
  if (question !== undefined && peer.canAnswer) {
    asked.push(['question', async () => mustHold(await peer.callTool(name(question.tool), {}), question.answer)])
  }
  if (progress !== undefined && countProgress !== undefined) {
    asked.push([
      'progress',
      async () => {
        const count = await countProgress(name(progress.tool), progress.arguments)
        if (count < progress.atLeast) throw new Error(`progress was heard of ${count} times`)
      },
    ])
  }
  return asked
}

function says(error: unknown): string {
  return error instanceof Error ? error.message.replaceAll(/\s+/g, ' ').slice(0, 400) : String(error)
}

/** One client at one server by one path. */
export async function askPeer(
  kind: PeerKind,
  subject: Subject,
  place: { door: Door; path: string; isAlone: boolean },
): Promise<Cell> {
  const startedAt = performance.now()
  const outcomes: Partial<Record<Question, string | undefined>> = {}
  const name = (own: string): string => (place.isAlone ? own : `${subject.name}__${own}`)
  try {
    const peer = await within(kind.connect(place.door))
    outcomes.connect = undefined
    for (const [question, ask] of questionsFor(peer, subject, name, place.isAlone)) {
      outcomes[question] = await within(ask()).then(() => undefined, says)
    }
    await peer.close().catch(() => undefined)
  } catch (error) {
    outcomes.connect = says(error)
  }
  const holds = Object.values(outcomes).every((wrong) => wrong === undefined)
  const ms = Math.round(performance.now() - startedAt)
  return { client: kind.name, server: subject.name, path: place.path, outcomes, holds, ms }
}

/** The cell as a line: `+` answered, `-` not, a blank for what this client is not asked. */
export function describeCell({ client, server, path, outcomes, ms }: Cell): string {
  const marks = questions.map((question) => {
    const mark = question in outcomes ? (outcomes[question] === undefined ? '+' : '-') : ' '
    return mark.padEnd(question.length + 1)
  })
  const wrong = Object.entries(outcomes).filter(([, each]) => each !== undefined)
  return [
    `  ${client.padEnd(42)}${server.padEnd(12)}${path.padEnd(26)}${marks.join('')}${String(ms).padStart(7)} ms`,
    ...wrong.map(([question, each]) => `      ${question}: ${each}`),
  ].join('\n')
}

export const headLine = `  ${'client'.padEnd(42)}${'server'.padEnd(12)}${'path'.padEnd(26)}${questions.join(' ')}`
