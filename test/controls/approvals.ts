/** Controls of what people can do about a denial: prove a factor, approve, justify, consent, redact. */
export const approvalControls = {
  'STU-1': {
    says: 'a call that a role grants with a fresh factor alone passes once for each proof, and only the call that was looked at',
    sources: ['ASVS 7.5.3', 'AISVS 9.2.8', 'MCP elicitation'],
  },
  'STU-2': {
    says: 'only the person in whose name a call was made proves a factor for it, on a page of Castellan and nowhere else',
    sources: ['ASVS 7.5.3', 'MCP elicitation: phishing'],
  },
  'STU-3': {
    says: 'calls that wait for a fresh factor are few for each person, end by themselves, and cost nobody else anything',
    sources: ['ASVS 2.4.1', 'MCP elicitation'],
  },
  'STU-4': {
    says: 'a sign-in anew at a provider proves one thing once, for the person and session it was asked for, and no more than it showed',
    sources: ['ASVS 6.8.4', 'ASVS 7.5.1', 'ASVS 7.5.3', 'OpenID Connect Core 1.0, section 3.1.2.1'],
  },
  'APR-1': {
    says: 'a call that needs an approval passes once for each, and only the call, client and person that approvers saw completely',
    sources: ['G5', 'AISVS 9.2.8', 'MCP elicitation'],
  },
  'APR-2': {
    says: 'nobody approves a call of their own, of a program they answer for or that they act in; each approver counts once, and only while they may approve',
    sources: ['ASVS 2.3.5', 'AISVS 9.2.8'],
  },
  'APR-3': {
    says: 'what is not given in time, or was denied, is a denial; what was given under a rule that has changed counts no more',
    sources: ['ASVS 2.4.1', 'ASVS 8.3.2'],
  },
  'APR-4': {
    says: 'only the person whose call it is justifies it or consents to it, on a page of Castellan; a consent ends, and is taken back',
    sources: ['ASVS 7.5.3', 'MCP elicitation: phishing'],
  },
  'APR-5': {
    says: 'calls that wait for somebody are few for each person, end by themselves, and bury nobody else',
    sources: ['ASVS 2.4.1'],
  },
  'RED-1': {
    says: 'values that a rule takes out of answers leave on no way: not in structured content, texts, streams, errors, tasks or questions',
    sources: ['ASVS 14.2.6', 'AISVS 9.2.8'],
  },
} as const
