/** Controls of the pages that people meet in a browser. */
export const pageControls = {
  'PAG-1': {
    says: 'a form is taken only from a page that this browser was given for this person and path; no link does what a form does',
    sources: ['ASVS 3.5.1', 'ASVS 3.5.3', 'ASVS 10.2.1', 'R9'],
  },
  'PAG-2': {
    says: 'a page is never shown in a frame, runs nothing and loads nothing of others, and is kept in no cache',
    sources: ['ASVS 3.4.3', 'ASVS 3.4.4', 'ASVS 3.4.5', 'ASVS 3.4.6', 'ASVS 14.3.2'],
  },
  'PAG-3': {
    says: 'a page leads to paths of this Castellan alone, whatever its address says',
    sources: ['ASVS 3.7.2', 'R23'],
  },
  'PAG-4': {
    says: 'nothing that is typed, or that a client says of itself, becomes markup, a header or a cookie',
    sources: ['ASVS 1.2.1', 'ASVS 1.3.11', 'R22'],
  },
  'PAG-5': { says: 'no page and no address holds a token, a password or a secret', sources: ['R25', 'ASVS 14.2.1'] },
  'PAG-6': {
    says: 'every sign-in makes a new session and ends the one the browser had; a cookie that was planted signs nobody in',
    sources: ['ASVS 7.2.4', 'ASVS 7.4.1', 'ASVS 3.3.1', 'R23'],
  },
  'PAG-7': {
    says: 'a client is let act by the person who saw what it asks for, in the browser it asked in, and by nobody and nothing else',
    sources: ['R9', 'ASVS 10.7.1', 'ASVS 10.7.2', 'MCP security best practices: confused deputy'],
  },
  'PAG-8': {
    says: 'the code of a device cannot be guessed, and is never approved by a link, twice, or unseen',
    sources: ['ASVS 6.6.3', 'RFC 8628, section 5.1', 'RFC 8628, section 5.4'],
  },
} as const
