/** Makes the load of the proof of revocation, in a process of its own, and notes when each thing passed last. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CallerPlan, type Group, type Order, preciseNow, type Told } from './load-contract.ts'
import { callMessage, send, Stream, textOf } from './load-streams.ts'

const callEveryMs = 60
const openAtOnce = 12
/** Nothing is accepted for so long before a revocation counts as done. */
const quietMs = 1_200
const giveUpMs = 10_000
const startedAt = preciseNow()
const nanosPerMs = 1e6
const lateness = monitorEventLoopDelay({ resolution: 10 })
lateness.enable()

class Running {
  readonly streams: readonly Stream[]
  accepted = 0
  refused = 0
  lastAcceptedAt = 0
  problems: string[] = []
  readonly #plan: Group
  #isOver = false
  #id = 0

  constructor(plan: Group) {
    this.#plan = plan
    this.streams = plan.streams.map((stream) => new Stream(stream))
  }

  async open(): Promise<void> {
    const left = [...this.streams]
    const worker = async (): Promise<void> => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        const isOpen = await next
          .open(this.#plan.host)
          .catch((error: unknown) => void this.problems.push(String(error)))
        if (isOpen === false) this.problems.push(next.problem)
      }
    }
    await Promise.all(Array.from({ length: openAtOnce }, worker))
    const first = this.#plan.callers.map((caller) => this.#call(caller))
    const answers = await Promise.all(first)
    if (answers.includes(false)) this.problems.push('a first call was refused')
    for (const caller of this.#plan.callers) void this.#goOn(caller)
  }

  async #goOn(caller: CallerPlan): Promise<void> {
    while (!this.#isOver) {
      await this.#call(caller).catch(() => undefined)
      await sleep(callEveryMs * (0.5 + Math.random()))
    }
  }

  async #call({ origin, server, token }: CallerPlan): Promise<boolean> {
    const isRead = server.startsWith('/')
    const url = isRead ? `${origin}${server}` : `${origin}/servers/${server}/mcp`
    const host = isRead ? new URL(origin).host : this.#plan.host
    this.#id += 1
    const answer = await send({ url, host, token, ...(isRead ? {} : { message: callMessage(this.#id, 'echo') }) })
    const text = await textOf(answer)
    const isAccepted = answer.statusCode === 200 && (isRead || text.includes('"result"'))
    if (isAccepted) {
      this.accepted += 1
      this.lastAcceptedAt = preciseNow()
    } else this.refused += 1
    return isAccepted
  }

  async settle(): Promise<void> {
    const giveUpAt = preciseNow() + giveUpMs
    const isOpen = (): boolean => this.streams.some(({ closedAt }) => closedAt === null)
    while (isOpen() || preciseNow() - this.lastAcceptedAt < quietMs) {
      if (preciseNow() > giveUpAt) {
        const open = this.streams.filter(({ closedAt }) => closedAt === null).map(({ plan }) => plan.kind)
        this.problems.push(`still passing after ${giveUpMs} ms; open: ${open.join(', ')}`)
        break
      }
      await sleep(20)
    }
  }

  end(): void {
    this.#isOver = true
    for (const stream of this.streams) stream.leave()
  }
}

const groups = new Map<string, Running>()

function tell(group: string, running: Running): void {
  const { user, system } = process.cpuUsage()
  const told: Told = {
    group,
    problems: running.problems,
    streams: running.streams.map(({ plan, closedAt, lastByteAt }) => ({ kind: plan.kind, closedAt, lastByteAt })),
    reopened: running.streams.reduce((sum, { reopened }) => sum + reopened, 0),
    accepted: running.accepted,
    refused: running.refused,
    lastAcceptedAt: running.lastAcceptedAt,
    cpuShare: (user + system) / 1_000 / (preciseNow() - startedAt),
    latenessMs: lateness.max / nanosPerMs,
  }
  process.send?.(told)
}

async function obey(order: Order): Promise<void> {
  if (order.do === 'open') {
    const running = new Running(order.plan)
    groups.set(order.plan.group, running)
    await running.open()
    return tell(order.plan.group, running)
  }
  const running = groups.get(order.group)
  if (running === undefined) throw new Error(`no group ${order.group}`)
  if (order.do === 'settle') {
    await running.settle()
    groups.delete(order.group)
    running.end()
  }
  tell(order.group, running)
}

process.on('message', (order: Order) => void obey(order))
process.once('disconnect', () => process.exit(0))
