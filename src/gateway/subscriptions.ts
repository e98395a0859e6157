/**
 * Which resources does a subscription ask to be told about?
 * Stops: a filter that an upstream could read otherwise, and notices that no policy judges, such as those of tasks.
 * Trusts: nothing in the filter.
 * Fails: anything but the members of the revision, each of its own type, is undefined: not a filter.
 * @see MCP 2026-07-28, subscriptions/listen
 */
import type { Target } from '#kernel'
import { isObject, type Message } from '#protocol'

const switches = new Set(['toolsListChanged', 'promptsListChanged', 'resourcesListChanged'])

/** The resources named in the filter of `subscriptions/listen`; none for every other message, undefined for a bad filter. */
export function subscribedResources(message: Message | undefined, upstream: string): readonly Target[] | undefined {
  if (message?.method !== 'subscriptions/listen') return []
  const filter = message.params?.['notifications'] ?? {}
  if (!isObject(filter)) return undefined
  const { resourceSubscriptions = [], ...rest } = filter
  for (const [name, value] of Object.entries(rest)) {
    if (!switches.has(name) || typeof value !== 'boolean') return undefined
  }
  if (!Array.isArray(resourceSubscriptions)) return undefined
  const uris: unknown[] = resourceSubscriptions
  if (!uris.every((uri) => typeof uri === 'string' && uri !== '')) return undefined
  return uris.map((name) => ({ upstream, kind: 'resource', name: String(name) }))
}
