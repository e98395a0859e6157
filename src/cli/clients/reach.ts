import { isIP } from 'node:net'

const privateFour =
  /^(?:0|10|127|169\.254|172\.(?:1[6-9]|2\d|3[01])|192\.168|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./
const privateSix = /^(?:::1?$|f[cd]|fe[89ab])/i
const privateNames = /(?:^|\.)(?:localhost|local|internal|lan|home\.arpa|test|invalid|example)$/i

/** Whether a URL names this machine, plainly: the only place to which a token goes unencrypted. */
export function isLoopbackUrl(url: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname)
}

/** Whether a URL leads to somewhere that the internet cannot reach, as far as its name tells. */
export function isPrivateUrl(url: string): boolean {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) === 4) return privateFour.test(host)
  if (isIP(host) === 6) return privateSix.test(host)
  return privateNames.test(host) || !host.includes('.')
}
