/**
 * What does a browser send of a passkey? The shapes of `PublicKeyCredential.toJSON()`, bounded, and nothing else.
 * Stops oversized and misshapen answers before anything is decoded.
 * Trusts nothing. Fails by refusing the answer as a whole.
 * @see Web Authentication Level 3, sections 5.1 (toJSON) and 5.8.1
 */
import * as z from 'zod'

const base64url = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[A-Za-z0-9_-]+$/)

// SPEC: Web Authentication Level 3, section 4: a credential id has at most 1023 bytes.
const credentialId = base64url(1364)
const clientDataJSON = base64url(8_192)
const extensions = z.object({})
const attachment = z.enum(['platform', 'cross-platform']).optional().catch(undefined)

/** Of `navigator.credentials.create()`. */
export const registrationAnswer = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON,
    attestationObject: base64url(32_768),
    transports: z.array(z.string().max(32)).max(10).optional(),
  }),
  authenticatorAttachment: attachment,
  clientExtensionResults: extensions,
})

/** Of `navigator.credentials.get()`. */
export const assertionAnswer = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON,
    authenticatorData: base64url(8_192),
    signature: base64url(4_096),
    userHandle: base64url(128).nullish(),
  }),
  authenticatorAttachment: attachment,
  clientExtensionResults: extensions,
})

export type RegistrationAnswer = z.infer<typeof registrationAnswer>
export type AssertionAnswer = z.infer<typeof assertionAnswer>
