import { isObject, type Message } from './message.ts'

const switches = new Set(['toolsListChanged', 'promptsListChanged', 'resourcesListChanged'])

/**
 * The URIs of the resources that a client asks to be told about: those in the filter of `subscriptions/listen`, none for
 * every other message. Anything in the filter but the members of the revision and of its extension for tasks, each of its own type, is undefined: not a
 * filter that can be judged, because an upstream could read it otherwise. SPEC: MCP 2026-07-28, subscriptions/listen.
 */
export function subscribedResources(message: Message | undefined): readonly string[] | undefined {
  if (message?.method !== 'subscriptions/listen') return []
  const filter = message.params?.['notifications'] ?? {}
  if (!isObject(filter)) return undefined
  const { resourceSubscriptions = [], taskIds = [], ...rest } = filter
  if (!Array.isArray(taskIds)) return undefined
  for (const [name, value] of Object.entries(rest)) {
    if (!switches.has(name) || typeof value !== 'boolean') return undefined
  }
  if (!Array.isArray(resourceSubscriptions)) return undefined
  const uris: unknown[] = resourceSubscriptions
  return uris.every((uri) => typeof uri === 'string' && uri !== '') ? uris.map(String) : undefined
}
