/**
 * Did an authenticator sign this, for this challenge, on our page, with its person verified?
 * Stops answers for another challenge, origin or domain, without user verification, inside a page of another site, or
 * with a key of another algorithm. Attestation statements are dropped unread: to judge one, addresses named in its
 * certificates would be fetched.
 * Trusts the library for signatures. Fails closed: what the library throws becomes the reason of a refusal.
 * @see Web Authentication Level 3, sections 7.1 and 7.2
 */
import type { AssertionAnswer, RegistrationAnswer } from './answers.ts'
import { allowedAlgorithms, type RelyingParty } from './relying-party.ts'

export interface Registered {
  readonly credentialId: string
  /** COSE key, base64url. */
  readonly publicKey: string
  readonly algorithm: number
  readonly counter: number
  readonly aaguid: string
  readonly isSyncable: boolean
  readonly isSynced: boolean
}

export interface Asserted {
  readonly counter: number
  readonly isSyncable: boolean
  readonly isSynced: boolean
}

/** Why an answer does not hold, for the ledger. */
export interface Unproved {
  readonly reason: string
}

interface Asked {
  readonly party: RelyingParty
  readonly challenge: string
}

// WHY: loaded when a passkey is first used, because it takes longer to load than the rest of Castellan.
const library = () => import('@simplewebauthn/server')
const tools = () => import('@simplewebauthn/server/helpers')

const reasons: readonly (readonly [RegExp, string])[] = [
  [/challenge/i, 'wrong-challenge'],
  [/RP ID/, 'wrong-domain'],
  [/origin/i, 'wrong-origin'],
  [/user verif/i, 'person-not-verified'],
  [/presen(ce|t)/i, 'person-not-present'],
  [/alg/, 'algorithm-not-allowed'],
]

function reasonOf(error: unknown): Unproved {
  const text = error instanceof Error ? error.message : ''
  return { reason: reasons.find(([pattern]) => pattern.test(text))?.[1] ?? 'answer-malformed' }
}

/** The purpose and frame that the browser wrote down; the library judges the rest. */
async function isInFrame(clientDataJSON: string): Promise<boolean> {
  const { decodeClientDataJSON } = await tools()
  return decodeClientDataJSON(clientDataJSON).crossOrigin === true
}

async function withoutStatement(attestationObject: string): Promise<string> {
  const { decodeAttestationObject, isoBase64URL, isoCBOR } = await tools()
  const authData = decodeAttestationObject(isoBase64URL.toBuffer(attestationObject)).get('authData')
  const bare = new Map<string, Parameters<typeof isoCBOR.encode>[0]>([
    ['fmt', 'none'],
    ['attStmt', new Map()],
    ['authData', authData],
  ])
  return isoBase64URL.fromBuffer(isoCBOR.encode(bare))
}

export async function verifyRegistration(
  answer: RegistrationAnswer,
  { party, challenge }: Asked,
): Promise<Registered | Unproved> {
  const { verifyRegistrationResponse } = await library()
  const { decodeCredentialPublicKey, isoBase64URL } = await tools()
  try {
    if (await isInFrame(answer.response.clientDataJSON)) return { reason: 'in-a-frame' }
    const attestationObject = await withoutStatement(answer.response.attestationObject)
    const { clientDataJSON } = answer.response
    const { registrationInfo: found } = await verifyRegistrationResponse({
      response: { ...answer, response: { clientDataJSON, attestationObject }, clientExtensionResults: {} } as never,
      expectedChallenge: challenge,
      expectedOrigin: [...party.origins],
      expectedRPID: party.id,
      requireUserVerification: true,
      supportedAlgorithmIDs: [...allowedAlgorithms],
    })
    if (found === undefined || found.credential.id !== answer.id) return { reason: 'answer-malformed' }
    return {
      credentialId: found.credential.id,
      publicKey: isoBase64URL.fromBuffer(found.credential.publicKey),
      algorithm: Number(decodeCredentialPublicKey(found.credential.publicKey).get(3)),
      counter: found.credential.counter,
      aaguid: found.aaguid,
      isSyncable: found.credentialDeviceType === 'multiDevice',
      isSynced: found.credentialBackedUp,
    }
  } catch (error) {
    return reasonOf(error)
  }
}

/** @param publicKey COSE key, base64url. The counter is judged where it is kept, not here. */
export async function verifyAssertion(
  answer: AssertionAnswer,
  { party, challenge, publicKey }: Asked & { readonly publicKey: string },
): Promise<Asserted | Unproved> {
  const { verifyAuthenticationResponse } = await library()
  const { isoBase64URL } = await tools()
  try {
    if (await isInFrame(answer.response.clientDataJSON)) return { reason: 'in-a-frame' }
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { ...answer, clientExtensionResults: {} } as never,
      expectedChallenge: challenge,
      expectedOrigin: [...party.origins],
      expectedRPID: party.id,
      credential: { id: answer.id, publicKey: isoBase64URL.toBuffer(publicKey), counter: 0 },
      requireUserVerification: true,
    })
    if (!verified) return { reason: 'wrong-signature' }
    const { newCounter, credentialDeviceType, credentialBackedUp } = authenticationInfo
    return { counter: newCounter, isSyncable: credentialDeviceType === 'multiDevice', isSynced: credentialBackedUp }
  } catch (error) {
    return reasonOf(error)
  }
}
