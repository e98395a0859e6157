/**
 * On which pages does a person change what they prove themselves with? Passkeys, the authenticator, and a reset.
 * Stops: nothing by itself. Trusts its parts. Fails as they do: closed.
 */
import type { Parts } from '../parts.ts'
import { type PasskeyRooms, passkeyScreens } from '../passkey/account-screens.ts'
import type { Screen } from '../pages/screen.ts'
import { createOwnAuthenticator } from '../people/own-authenticator.ts'
import type { ProveFresh } from '../step-up/prove-fresh.ts'
import { type RecoveryParts, recoveryScreen } from '../recovery/recovery-screen.ts'
import { authenticatorScreens } from './authenticator-screens.ts'

export function factorScreens(
  parts: Parts,
  rooms: PasskeyRooms & RecoveryParts & { readonly proveFresh: ProveFresh },
): readonly Screen[] {
  const authenticator = createOwnAuthenticator(parts, rooms.proveFresh)
  return [...passkeyScreens(rooms), ...authenticatorScreens({ ...rooms, authenticator }), recoveryScreen(rooms)]
}
