import type { IncomingMessage } from 'node:http'
import { readBody } from '#platform/http'
import { isRefusal, refuse, type Refusal } from '#kernel'
import { refusals } from './refusals.ts'

/** Largest request body the admin API reads, where a route says no other. */
export const maxBodyBytes = 64 * 1024

function isJsonType(contentType: string | undefined): boolean {
  return /^application\/json *(; *charset="?utf-8"?)? *$/i.test(contentType ?? '')
}

async function readBytes(incoming: IncomingMessage, limit: number): Promise<Buffer | Refusal> {
  const bytes = await readBody(incoming, limit)
  if (bytes === 'too-large') return refuse(refusals.bodyTooLarge, { names: { limit: `${limit} bytes` } })
  if (bytes === 'encoded') return refuse(refusals.wrongContentType)
  if (bytes === 'aborted') return refuse(refusals.notJson)
  return bytes
}

/** The body as JSON, `{}` when there is none. Wrapped, so that no body can pass for a refusal of ours. */
export async function readJson(
  incoming: IncomingMessage,
  limit: number,
): Promise<{ readonly json: unknown } | Refusal> {
  if (incoming.method === 'GET' || incoming.method === 'HEAD') return { json: {} }
  const bytes = await readBytes(incoming, limit)
  if (isRefusal(bytes)) return bytes
  if (bytes.length === 0) return { json: {} }
  if (!isJsonType(incoming.headers['content-type'])) return refuse(refusals.wrongContentType)
  try {
    return { json: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) }
  } catch {
    return refuse(refusals.notJson)
  }
}
