/** Controls of programs that act with nobody at a keyboard. */
export const serviceAccountControls = {
  'SVC-1': {
    says: 'a service account has no way to sign in, and nobody can make one for it',
    sources: ['OWASP NHI10:2025', 'ASVS 6.3.2'],
  },
  'SVC-2': {
    says: 'a service account ends with its time and stops with its owner, its tokens, clients and open streams within a second',
    sources: ['G9', 'OWASP NHI1:2025', 'OWASP NHI7:2025', 'ASVS 8.3.2', 'ASVS 13.2.1'],
  },
  'SVC-3': {
    says: 'nobody gives a service account, or gets by one, more than they have, and none changes anything on the admin plane',
    sources: ['OWASP NHI5:2025', 'ASVS 13.2.2', 'ASVS 8.3.3'],
  },
  'SVC-4': {
    says: 'a client that acts for itself acts as a service account, never as a person',
    sources: ['OWASP NHI10:2025', 'ASVS 8.3.3'],
  },
} as const
