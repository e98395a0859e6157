/** Controls of terminals that people sign in from their browser, and of the scopes that few clients get. */
export const terminalControls = {
  'TRM-1': {
    says: 'a terminal is signed in only by a person who typed its code, saw where it asks from and said that they started it, with the factors that are needed',
    sources: ['ASVS 6.3.3', 'ASVS 10.7.2', 'RFC 8628'],
  },
  'TRM-2': {
    says: 'administration and provisioning are given to the clients that they are meant for alone, and a token for one resource is worth nothing at another',
    sources: ['G7', 'R15', 'R26', 'ASVS 9.2.3', 'ASVS 10.4.11', 'RFC 8707'],
  },
  'TRM-3': {
    says: 'a terminal stays signed in no longer than a session, and ends with its sign-out, its person and its client; nothing that was copied of it goes on',
    sources: ['G9', 'ASVS 7.3.1', 'ASVS 7.3.2', 'ASVS 7.4.1'],
  },
} as const
