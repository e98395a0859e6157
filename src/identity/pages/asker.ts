/**
 * Which client does a person sign in for? Carried from the consent page to the sign-in page in a sealed value.
 * Stops: a link that makes the sign-in page name a client that never asked.
 * Trusts: the sealer, which binds the value to the page that is to be shown next.
 * Fails: what cannot be opened names nobody.
 */
import type { Sealer } from '#kernel'
import * as z from 'zod'
import type { AskingClient } from '../oauth/interactions.ts'

const shape = z.strictObject({ name: z.string(), redirectHost: z.string() })

/** What the sign-in page says of the client. */
export type Asker = z.infer<typeof shape>

function placeOf(next: string): string {
  return `forms/asker${next}`
}

/** The address of the sign-in page, on the way to a page where a client waits for an answer. */
export function signInAddressFor(sealer: Sealer, client: AskingClient, next: string): string {
  const { name, redirectHost } = client
  const asker: Asker = { name: name.slice(0, 200), redirectHost }
  const asks = sealer.seal(Buffer.from(JSON.stringify(asker)), placeOf(next))
  return `/sign-in?${new URLSearchParams({ next, asks }).toString()}`
}

export function readAsker(sealer: Sealer, sealed: string | undefined, next: string | undefined): Asker | undefined {
  if (sealed === undefined || next === undefined) return undefined
  const plain = sealer.open(sealed, placeOf(next))
  return plain === undefined ? undefined : shape.parse(JSON.parse(Buffer.from(plain).toString()))
}
