/** What a client of the proof of cross-talk asks for, and what it may be answered. */
import type { Client, Reply } from './client.ts'

function textOf({ response }: Reply): string {
  const [first] = (response?.result?.['content'] ?? []) as readonly { readonly text?: string }[]
  return first?.text ?? ''
}

export function call(client: Client, tool: string, more: { readonly params?: object; readonly allowed?: RegExp } = {}) {
  const { prefix } = client.options.lane
  const name = `${prefix}${tool}`
  const params = { name, arguments: { text: client.mark }, ...more.params }
  return { method: 'tools/call', params, name, ...(more.allowed === undefined ? {} : { allowed: more.allowed }) }
}

/** Whether the client was told to come later or to begin anew, which is counted. */
export function isPutOff({ options, session }: Client, { status }: Reply): boolean {
  const isLost = status === 404 && options.lane.era === 'legacy' && session === undefined
  return status === 429 || status === 503 || isLost
}

export function expectText(client: Client, reply: Reply, expected: string): void {
  const { findings, lane } = client.options
  if (isPutOff(client, reply) || textOf(reply) === expected) return
  const got = JSON.stringify(reply.response ?? null).slice(0, 300)
  findings.wrong(`${lane.name}: expected ${expected}, got ${reply.status} ${got}`)
}

export function expectRefused(client: Client, what: string, { status, response }: Reply): void {
  const { findings, lane } = client.options
  const isRefused = status === 404 || status === 400 || response?.error !== undefined
  if (status === 429 || status === 503) return
  if (!isRefused) findings.wrong(`${lane.name}: ${what} of somebody else was taken: ${status}`)
}
