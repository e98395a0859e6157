import type { Control } from '../controls.ts'

/** Controls of passkeys, ways back in, and what belongs to sign-in beside passwords. */
export const keyControls = {
  'SGN-8': {
    says: 'no spelling of a name gives more guesses at one account, or leads to another',
    sources: ['R33', 'ASVS 6.3.1', 'ASVS 1.5.3'],
  },
  'SGN-9': {
    says: 'a person has no more sessions than allowed, and is told of a sign-in from elsewhere',
    sources: ['ASVS 7.1.2', 'ASVS 6.3.5'],
  },
  'KEY-1': {
    says: 'an answer of a passkey opens one session, for the browser that was given its challenge, within five minutes',
    sources: ['G8', 'ASVS 6.7.2', 'Web Authentication Level 3, section 13.4.3'],
  },
  'KEY-2': {
    says: 'a passkey counts only from our own pages and domain, with its person verified, and a copied one is noticed',
    sources: ['ASVS 6.3.3', 'ASVS 6.3.8', 'Web Authentication Level 3, section 7.2'],
  },
  'KEY-3': {
    says: 'nobody changes what a person signs in with who does not prove a factor of theirs at that moment',
    sources: ['ASVS 6.3.7', 'ASVS 7.5.1', 'ASVS 6.5.6'],
  },
  'REC-1': {
    says: 'it takes two other administrators to let an administrator in who lost everything, and nobody lets themselves in',
    sources: ['ASVS 6.4.4', 'ASVS 6.4.6'],
  },
  'REC-2': {
    says: 'a reset asks for a factor that is left, works once and not for long, and ends everything that was open',
    sources: ['ASVS 6.4.1', 'ASVS 6.4.3', 'ASVS 7.4.3', 'G8'],
  },
} as const satisfies Record<string, Control>
