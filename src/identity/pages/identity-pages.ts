/**
 * Which pages does identity have? All of them, put together from what identity knows.
 * Stops: a page that is made and served nowhere.
 * Trusts: the parts it is given. Fails at compile time when one is missing.
 */
import type { AccessTokens } from '../credentials/access-tokens.ts'
import type { Sessions } from '../credentials/sessions.ts'
import type { Mount } from '../front/front.ts'
import type { Notices } from '../notices/notices.ts'
import type { Grants } from '../oauth/grants.ts'
import type { Devices, Interactions } from '../oauth/interactions.ts'
import type { Parts } from '../parts.ts'
import type { OwnCredentials } from '../people/own-credentials.ts'
import type { People } from '../people/people.ts'
import type { ServiceAccounts } from '../service-accounts/service-accounts.ts'
import { accountScreen } from '../account/account-screen.ts'
import { credentialScreens } from '../account/credential-screens.ts'
import { endingScreens } from '../account/ending-screens.ts'
import type { OtherFactors } from '../account/factor-section.ts'
import { createSignIns } from '../account/sign-ins.ts'
import type { RemedyDesk } from '../remedies/desk.ts'
import type { BrowserSessions } from './browser-session.ts'
import { createCodeAllowance } from './code-allowance.ts'
import { consentScreen } from './consent-screen.ts'
import { createPages } from './create-pages.ts'
import { deviceScreen } from './device-screen.ts'
import type { PersonalCall, Screen } from './screen.ts'
import { signInScreen, type SignInParts } from './sign-in-screen.ts'
import { type SignOutParts, signOutScreen } from './sign-out-screen.ts'

export interface PageRooms {
  readonly parts: Parts
  readonly browser: BrowserSessions
  readonly signIn: SignInParts['signIn']
  readonly sessions: Sessions
  readonly tokens: Pick<AccessTokens, 'list' | 'revoke'>
  readonly people: Pick<People, 'find'> & OwnCredentials
  readonly notices: Notices
  readonly serviceAccounts: Pick<ServiceAccounts, 'list' | 'renew' | 'suspend'>
  readonly oauth: { readonly grants: Grants; readonly interactions: Interactions; readonly devices: Devices }
  readonly consents: RemedyDesk['consents']
  readonly signInOptions: SignInParts['signInOptions']
  readonly providerOf: SignOutParts['providerOf']
  /** Ways to sign in beside password and authenticator, for the security centre. */
  otherFactors(call: PersonalCall): Promise<OtherFactors>
  /** Pages of other parts that look and are guarded like these. */
  readonly moreScreens: readonly Screen[]
}

/** Everything that people meet in a browser. */
export function createIdentityPages(rooms: PageRooms): Mount {
  const { parts, browser, oauth } = rooms
  const { ledger, clock, sealer, settings } = parts
  const publicUrl = () => parts.places.gatewayUrl
  const places = () => ({ publicUrl: publicUrl(), grantDays: settings.oauth.grantDays })
  const account = { ...rooms, grants: oauth.grants, signIns: createSignIns(parts), clock, publicUrl }
  const screens: readonly Screen[] = [
    signInScreen({ sealer, settings, browser, signIn: rooms.signIn, signInOptions: rooms.signInOptions }),
    signOutScreen({ browser, providerOf: rooms.providerOf }),
    consentScreen({ sealer, interactions: oauth.interactions, places }),
    deviceScreen({ devices: oauth.devices, codes: createCodeAllowance(parts), places, ledger, now: clock.now }),
    accountScreen(account),
    ...endingScreens(account),
    ...credentialScreens(rooms),
    ...rooms.moreScreens,
  ]
  return createPages({ ledger, clock, sealer, browser, publicUrl, screens })
}
