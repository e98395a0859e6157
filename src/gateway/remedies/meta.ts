/**
 * What goes on with a call that people agreed to? What they saw, and nothing beside it.
 * Stops: members of `_meta` that no approver was shown, and that a server may read all the same.
 * Trusts: the protocol's own names, which say how a call travels and not what it is.
 * Fails: what is not one of those is left out.
 * @see MCP 2025-11-25 and 2026-07-28, `_meta`
 */
import { isObject, withoutMeta, withText } from '#protocol'
import type { Tasked } from '../guards/bind-handles.ts'
import type { Inbound } from '../guards/read-message.ts'

const travelling = new Set(['progressToken', 'traceparent', 'tracestate', 'baggage'])
const ownPrefix = 'io.modelcontextprotocol/'

function isForeign(name: string): boolean {
  return !travelling.has(name) && !name.startsWith(ownPrefix)
}

/** The message as it may be sent on; undefined where nothing differs from what would be sent without. */
export function withoutForeignMeta({ message: given, tasks }: Inbound & Partial<Tasked>): Tasked['tasks']['sent'] {
  const message = tasks?.sent?.message ?? given
  const meta = message?.params?.['_meta']
  if (message === undefined || !isObject(meta) || !Object.keys(meta).some(isForeign)) return undefined
  const kept = Object.fromEntries(Object.entries(meta).filter(([name]) => !isForeign(name)))
  const params = { ...message.params, _meta: kept }
  const text = withoutMeta(message.text, 'params', isForeign)
  return {
    message: withText({ ...message, params, json: { ...message.json, params } }, text),
    body: Buffer.from(text),
  }
}
