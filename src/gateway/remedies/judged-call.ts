/**
 * What exactly is the call that people are asked about? One hash of everything that it says.
 * Stops: what was given for one call letting another pass: whatever a server may read in it counts.
 * Trusts: `readMessage`, by which every reader finds the same in a message, numbers to the last digit.
 * Fails: what cannot be hashed is no such call, and is denied.
 * @see RFC 8785, JSON canonicalization
 */
import { hash } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { JudgedCall } from '#identity'
import type { Arrival } from '../arrival.ts'
import type { Authenticated } from '../guards/authenticate-caller.ts'
import type { Inbound } from '../guards/read-message.ts'
import type { Aim } from '../guards/resolve-target.ts'

/** The methods of which each request is one use of a permission. */
const single = new Set(['tools/call', 'resources/read', 'prompts/get'])

/** Where it belongs to, how far it has come and what was answered in between: not what is called. */
const around = new Set(['_meta', 'name', 'uri', 'inputResponses', 'requestState'])

export type Caller = Arrival & Authenticated & Inbound & Aim

/** The call; undefined for what is no single call. */
export function judgedCall({ principal, message, target, permission, era }: Caller): JudgedCall | undefined {
  const { kind, method = '', params = {} } = message ?? {}
  if (kind !== 'request' || !single.has(method)) return undefined
  const text = canonicalize(Object.fromEntries(Object.entries(params).filter(([name]) => !around.has(name))))
  if (text === undefined) return undefined
  const told = JSON.stringify([era, method, target.upstream, target.kind, target.name, permission])
  return { principal, target, permission, text, hash: hash('sha256', `${told}\n${text}`, 'base64url') }
}
