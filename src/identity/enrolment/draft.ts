/**
 * What was chosen in an enrolment that is not finished? Kept sealed in its row until one code confirms it.
 * Stops a reader of the database from seeing the authenticator's secret before it is even used.
 * Trusts the sealer, which binds it to its row. Fails closed: a draft that cannot be opened was never made.
 */
import type { Sealer } from '#kernel'
import * as z from 'zod'

const draftSchema = z.strictObject({
  name: z.string(),
  displayName: z.string(),
  passwordHash: z.string(),
  /** Code points: without a second factor, more are asked for. */
  passwordLength: z.number(),
  /** Base64url. */
  totpSecret: z.string(),
})

export type EnrolmentDraft = z.infer<typeof draftSchema>

function placeOf(enrolmentId: string): string {
  return `enrolments/sealed_draft/${enrolmentId}`
}

export function sealDraft(sealer: Sealer, enrolmentId: string, draft: EnrolmentDraft): string {
  return sealer.seal(Buffer.from(JSON.stringify(draft)), placeOf(enrolmentId))
}

export function openDraft(sealer: Sealer, enrolmentId: string, sealed: string | null): EnrolmentDraft | undefined {
  const plain = sealed === null ? undefined : sealer.open(sealed, placeOf(enrolmentId))
  if (plain === undefined) return undefined
  const read = draftSchema.safeParse(JSON.parse(Buffer.from(plain).toString()))
  return read.success ? read.data : undefined
}
