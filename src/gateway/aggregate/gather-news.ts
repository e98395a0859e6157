/**
 * What is new at several servers, as it happens?
 * Stops: one server that is silent, broken or gone ending the news of the others; news of one that may not be used.
 * Trusts: each server's subscription to be judged, recorded and cut by itself.
 * Fails: a subscription that ends is opened again after a while, later each time; nobody else notices.
 * @see MCP 2026-07-28, subscriptions/listen
 */
import { type Frame, isObject, isProblem, metaKeys, readUpstreamMessage, applyEdits, memberEdit } from '#protocol'
import { monotonicMs } from '#platform/telemetry'
import { FrameQueue, type UpstreamAnswer } from '#upstream'
import { Ending } from '../ending.ts'
import { type Absent, absentFor, type AskingRooms, type Gathering, legOf } from './ask-members.ts'
import { absentKey } from './gather-list.ts'
import { type Offer, offerAt, type OfferRooms } from './offer.ts'
import { uriEdits } from './outward.ts'
import { splitUri } from './shared-uri.ts'

export interface NewsRooms extends AskingRooms, OfferRooms {
  readonly database: { revision(): number }
}

/** How long the first word of all servers is waited for. */
const longestAckMs = 3_000
const lookEveryMs = 500
const firstRetryMs = 5_000
const longestRetryMs = 300_000
const maxQueuedBytes = 1024 * 1024

const switches = ['toolsListChanged', 'promptsListChanged', 'resourcesListChanged'] as const
const acknowledged = 'notifications/subscriptions/acknowledged'

type Filter = Record<string, unknown>

/** What one server is asked to tell; undefined when it has nothing of it. */
function filterFor(filter: Filter, upstream: string): Filter | undefined {
  const wanted = Array.isArray(filter['resourceSubscriptions']) ? (filter['resourceSubscriptions'] as string[]) : []
  const uris = wanted.map(splitUri).flatMap((split) => (split?.upstream === upstream ? [split.own] : []))
  const on = switches.filter((name) => filter[name] === true)
  if (on.length === 0 && uris.length === 0) return undefined
  const asked = Object.fromEntries(on.map((name) => [name, true]))
  return uris.length === 0 ? asked : { ...asked, resourceSubscriptions: uris }
}

/** Resolves after a time, or when it is over. */
async function pause(ms: number, over: Ending): Promise<void> {
  if (over.aborted) return
  await new Promise<void>((resolve) => {
    const wake = (): void => {
      clearTimeout(timer)
      over.removeEventListener('abort', wake)
      resolve()
    }
    const timer = setTimeout(wake, ms).unref()
    over.addEventListener('abort', wake)
  })
}

class News {
  readonly queue: FrameQueue
  readonly #rooms: NewsRooms
  readonly #gathering: Gathering
  readonly #filter: Filter
  readonly #over = new Ending()
  readonly #followed = new Set<string>()
  readonly #honoured: Filter = {}
  readonly #absent: Absent[] = []
  #early: string[] | undefined = []
  #offer: Offer | undefined
  #gate: PromiseWithResolvers<void> | undefined

  constructor(rooms: NewsRooms, gathering: Gathering) {
    this.#rooms = rooms
    this.#gathering = gathering
    const filter = gathering.message.params?.['notifications']
    this.#filter = isObject(filter) ? filter : {}
    this.queue = new FrameQueue(maxQueuedBytes, {
      hold: (isHeld) => this.#hold(isHeld),
      left: () => this.#over.end(),
    })
    const { signal } = gathering.request
    const leave = (): void => this.queue.leave()
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave, { once: true })
  }

  begin(): void {
    const first = this.#gathering.members.map(({ name }) => this.#follow(name))
    void Promise.race([Promise.all(first), pause(longestAckMs, this.#over)]).then(() => this.#acknowledge())
    void this.#look()
  }

  #hold(isHeld: boolean): void {
    if (isHeld) this.#gate ??= Promise.withResolvers<void>()
    else {
      this.#gate?.resolve()
      this.#gate = undefined
    }
  }

  #push(body: string): void {
    if (this.#early === undefined) this.queue.push({ body })
    else this.#early.push(body)
  }

  #notify(method: string, params: Record<string, unknown> = {}): string {
    const _meta = { [metaKeys.subscriptionId]: this.#gathering.message.id }
    return JSON.stringify({ jsonrpc: '2.0', method, params: { ...params, _meta } })
  }

  #acknowledge(): void {
    const early = this.#early ?? []
    this.#early = undefined
    // WHY: what an administrator changes is told for each kind of list, whatever the servers tell of.
    for (const name of switches) if (this.#filter[name] === true) this.#honoured[name] = true
    const _meta = {
      [metaKeys.subscriptionId]: this.#gathering.message.id,
      ...(this.#absent.length === 0 ? {} : { [absentKey]: this.#absent }),
    }
    const params = { notifications: this.#honoured, _meta }
    this.queue.push({ body: JSON.stringify({ jsonrpc: '2.0', method: acknowledged, params }) })
    for (const body of early) this.#push(body)
  }

  /** Follows a server for as long as this lasts. @returns when its first word has come, or it will not */
  #follow(upstream: string): Promise<void> {
    const filter = filterFor(this.#filter, upstream)
    if (filter === undefined || this.#followed.has(upstream)) return Promise.resolve()
    this.#followed.add(upstream)
    return new Promise((isHeard) => {
      const go = async (): Promise<void> => {
        let waitMs = firstRetryMs
        while (!this.#over.aborted) {
          const begunAt = monotonicMs()
          await this.#listen(upstream, filter, isHeard).catch(() => undefined)
          isHeard()
          await pause(waitMs, this.#over)
          const hasLasted = monotonicMs() - begunAt > 2 * waitMs
          waitMs = hasLasted ? firstRetryMs : Math.min(2 * waitMs, longestRetryMs)
          // WHY: one that left the servers here is followed again when it comes back.
          if (this.#offer?.servers.includes(upstream) === false) break
        }
        this.#followed.delete(upstream)
      }
      void go()
    })
  }

  /** One subscription at a server, to its end. */
  async #listen(upstream: string, filter: Filter, isHeard: () => void): Promise<void> {
    const cut = new Ending()
    const end = (): void => cut.end()
    this.#over.addEventListener('abort', end)
    try {
      const leg = legOf(this.#gathering, upstream, { notifications: filter })
      const ended = await this.#rooms.runLeg({ ...leg, signal: this.#over, cut })
      if ('refusal' in ended) {
        if (this.#early !== undefined) this.#absent.push(absentFor(upstream, ended.refusal))
        return
      }
      for await (const frame of ended.answer.frames) {
        if (this.#take(upstream, frame)) isHeard()
        await this.#gate?.promise
      }
    } finally {
      this.#over.removeEventListener('abort', end)
    }
  }

  /** @returns whether the message was the acknowledgement */
  #take(upstream: string, frame: Frame): boolean {
    const message = frame.body === '' ? undefined : readUpstreamMessage(frame.body)
    if (message === undefined || isProblem(message) || message.kind !== 'notification') return false
    if (message.method === acknowledged) {
      this.#honour(upstream, message.params?.['notifications'])
      return true
    }
    const { text } = message
    const isUpdate = message.method === 'notifications/resources/updated'
    const id = JSON.stringify(this.#gathering.message.id)
    const mark = memberEdit(text, ['params', '_meta'], metaKeys.subscriptionId, id)
    // WHY: what names no subscription belongs to none.
    if (mark === undefined) return false
    const edits = isUpdate ? uriEdits(text, [0, text.length], ['params', 'uri'], upstream) : []
    this.#push(applyEdits(text, [mark, ...edits]))
    return false
  }

  #honour(upstream: string, given: unknown): void {
    if (!isObject(given)) return
    const asked: unknown = this.#filter['resourceSubscriptions']
    if (!Array.isArray(asked)) return
    const own: unknown = given['resourceSubscriptions']
    const granted = new Set(Array.isArray(own) ? (own as unknown[]) : [])
    const before = this.#honoured['resourceSubscriptions']
    const heard = (asked as string[]).filter((uri) => {
      const split = splitUri(uri)
      return split?.upstream === upstream && granted.has(split.own)
    })
    this.#honoured['resourceSubscriptions'] = [...(Array.isArray(before) ? (before as string[]) : []), ...heard]
  }

  /** Tells of what Castellan itself changes: grants, approvals, holds, servers. */
  async #look(): Promise<void> {
    let seen = Number.NaN
    for (; !this.#over.aborted; await pause(lookEveryMs, this.#over)) {
      const revision = this.#rooms.database.revision()
      if (revision === seen) continue
      const { caller } = this.#gathering
      const offer = await offerAt(this.#rooms, caller).catch(() => undefined)
      if (offer === undefined) continue
      seen = revision
      if (this.#offer !== undefined) this.#tell(this.#offer, offer)
      this.#offer = offer
    }
  }

  #tell(before: Offer, after: Offer): void {
    const isOtherSet = before.servers.join(' ') !== after.servers.join(' ')
    const told = (name: (typeof switches)[number], kind: string): void => {
      if (this.#filter[name] === true) this.#push(this.#notify(`notifications/${kind}/list_changed`))
    }
    if (before.tools !== after.tools) told('toolsListChanged', 'tools')
    if (isOtherSet) told('promptsListChanged', 'prompts')
    if (isOtherSet) told('resourcesListChanged', 'resources')
    for (const name of after.servers) void this.#follow(name)
  }
}

/** The stream of what is new at the servers of one address. */
export function gatherNews(rooms: NewsRooms, gathering: Gathering): UpstreamAnswer {
  const news = new News(rooms, gathering)
  news.begin()
  return { status: 200, kind: 'stream', frames: news.queue }
}
