import { createHash, timingSafeEqual } from 'node:crypto'
import type { Principal, Refusal, Secret } from '#kernel'
import { expositionType } from '#platform/telemetry'
import { admitCaller, bearer } from '../access.ts'
import type { Rooms } from '../rooms.ts'

interface Asked {
  readonly authorization: string | undefined
  readonly address: string
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** Compares in time that depends on neither text, nor on their lengths. */
function isToken(given: string | undefined, token: Secret | undefined): boolean {
  if (given === undefined || token === undefined) return false
  return timingSafeEqual(digest(given), digest(token.reveal()))
}

/** Whoever has the configured token, or a session with the permission. @returns why not, or undefined */
export async function admitReader(
  rooms: Rooms,
  { authorization, address }: Asked,
): Promise<{ refusal: Refusal | undefined; principal: Principal | undefined }> {
  const { metricsToken } = rooms.config.telemetry
  if (isToken(bearer(authorization), metricsToken)) return { refusal: undefined, principal: undefined }
  return admitCaller(rooms, 'metrics:read', { authorization, address })
}

/** The metrics, for a reader who was admitted. */
export async function metricsPage({ telemetry }: Rooms): Promise<Response> {
  return new Response(await telemetry.prometheus(), { headers: { 'content-type': expositionType } })
}
