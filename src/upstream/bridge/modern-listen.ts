/**
 * How does a modern client hear of changes in a legacy session?
 *
 * Stops: news that the client did not ask for; news of a subscription that does not say so; subscriptions without end.
 * Trusts: the gateway to have judged each resource that is subscribed to.
 * Fails: when the session tells nothing any more, the subscription ends in good order and the client asks again.
 * @see MCP 2026-07-28, subscriptions/listen
 */
import { isObject, type Message, metaKeys, withMetaMember } from '#protocol'
import type { Lease } from '../pool/pool.ts'
import { FrameQueue } from '../transports/frame-queue.ts'
import type { EndSignal, UpstreamAnswer } from '../transports/transport.ts'
import type { Asked } from './modern-call.ts'
import type { Listener, News } from './modern-news.ts'

const maxQueuedBytes = 1024 * 1024
/** Resources of which one listener is told, and how long the name of one may be. */
const maxSubscriptions = 256
const maxUriChars = 2_048

/** What can be asked for, the capability that offers it, and the notification that tells it. */
const switches = [
  { name: 'toolsListChanged', capability: 'tools', method: 'notifications/tools/list_changed' },
  { name: 'promptsListChanged', capability: 'prompts', method: 'notifications/prompts/list_changed' },
  { name: 'resourcesListChanged', capability: 'resources', method: 'notifications/resources/list_changed' },
] as const

interface Honoured {
  readonly methods: ReadonlySet<string>
  readonly uris: readonly string[]
  /** As the client is told. */
  readonly filter: Record<string, unknown>
}

interface Listening {
  readonly lease: Lease
  readonly news: News
  readonly signal: EndSignal
}

async function honour(filter: Record<string, unknown>, { lease, news, signal }: Listening): Promise<Honoured> {
  const { session } = lease
  if (!(await news.open())) return { methods: new Set(), uris: [], filter: {} }
  const on = switches.filter(
    ({ name, capability }) => filter[name] === true && session.offers(capability, 'listChanged'),
  )
  const wanted = filter['resourceSubscriptions']
  const asked: unknown[] = Array.isArray(wanted) && session.offers('resources', 'subscribe') ? wanted : []
  const uris: string[] = []
  for (const uri of [...new Set(asked)].slice(0, maxSubscriptions)) {
    if (signal.aborted) break
    if (typeof uri !== 'string' || uri.length > maxUriChars) continue
    if (await news.subscribe(uri)) uris.push(uri)
  }
  const told = Object.fromEntries(on.map(({ name }) => [name, true]))
  return {
    methods: new Set(on.map(({ method }) => method)),
    uris,
    filter: uris.length === 0 ? told : { ...told, resourceSubscriptions: uris },
  }
}

function isHonoured({ method = '', params }: Message, { methods, uris }: Honoured): boolean {
  if (method !== 'notifications/resources/updated') return methods.has(method)
  return typeof params?.['uri'] === 'string' && uris.includes(params['uri'])
}

/** Answers `subscriptions/listen` with a stream: what is honoured first, then the news, and at the end that it is over. */
export async function listen({ id, message, signal }: Asked, lease: Lease, news: News): Promise<UpstreamAnswer> {
  const wanted = message.params?.['notifications']
  const honoured = await honour(isObject(wanted) ? wanted : {}, { lease, news, signal })
  const tag = (text: string): string => withMetaMember(text, 'params', metaKeys.subscriptionId, JSON.stringify(id))
  let isHeld = false
  const leave = (): void => queue.leave()
  const queue = new FrameQueue(maxQueuedBytes, {
    // WHY: news say only that something changed; one who is behind hears it with the next ones.
    hold: (held) => (isHeld = held),
    left: () => {
      signal.removeEventListener('abort', leave)
      news.leave(listener, honoured.uris)
      lease.end()
    },
  })
  const listener: Listener = {
    onNews: (told) => {
      if (!isHeld && isHonoured(told, honoured)) queue.push({ body: tag(told.text) })
    },
    onEnd: () => {
      const result = { resultType: 'complete', _meta: { [metaKeys.subscriptionId]: id } }
      queue.push({ body: JSON.stringify({ jsonrpc: '2.0', id, result }) })
      queue.end()
    },
  }
  news.join(listener)
  const method = 'notifications/subscriptions/acknowledged'
  queue.push({ body: tag(JSON.stringify({ jsonrpc: '2.0', method, params: { notifications: honoured.filter } })) })
  if (signal.aborted) leave()
  else signal.addEventListener('abort', leave, { once: true })
  return { status: 200, kind: 'stream', frames: queue }
}
