import { errorCodes, isObject, jsonRpcError } from '#protocol'
import { CliFailure } from '../failure.ts'

type Id = string | number

const tlsWords: Readonly<Record<string, readonly [says: string, hint: string]>> = (() => {
  const ownCa = [
    'its certificate is from an authority that this machine does not know',
    'start the client with NODE_EXTRA_CA_CERTS=/path/of/your-ca.pem in its environment',
  ] as const
  return {
    SELF_SIGNED_CERT_IN_CHAIN: ownCa,
    DEPTH_ZERO_SELF_SIGNED_CERT: ownCa,
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: ownCa,
    UNABLE_TO_GET_ISSUER_CERT: ownCa,
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ownCa,
    CERT_HAS_EXPIRED: ['its certificate has expired', 'renew it, and look at the clock of this machine'],
    CERT_NOT_YET_VALID: ['its certificate is not valid yet', 'look at the clock of this machine'],
    ERR_TLS_CERT_ALTNAME_INVALID: [
      'its certificate is for another name',
      'use the name that stands in the certificate',
    ],
    ERR_SSL_WRONG_VERSION_NUMBER: [
      'it does not speak TLS on this port',
      'use its http URL on this machine, or its TLS port',
    ],
    EPROTO: ['it does not speak TLS as it has to', 'look at the port, and at the proxy in front of it'],
  }
})()

const networkWords: Readonly<Record<string, readonly [says: string, hint: string]>> = {
  ECONNREFUSED: ['nothing listens there', 'start it with `castellan up`, or look at the port'],
  ENOTFOUND: ['there is no such host', 'look at the name, and at your VPN'],
  EAI_AGAIN: ['its name cannot be looked up', 'look at your network and VPN'],
  EHOSTUNREACH: ['there is no way to it', 'look at your network and VPN'],
  UND_ERR_CONNECT_TIMEOUT: ['it did not answer in time', 'look at your network and VPN'],
  UND_ERR_HEADERS_TIMEOUT: ['it did not answer in time', 'look with `castellan audit tail` at what became of the call'],
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const inner = error.cause === undefined ? undefined : codeOf(error.cause)
  return 'code' in error ? String(error.code) : (inner ?? 'unknown')
}

/** Why no answer came, in words that tell a dead token from a dead server. */
export function failureOfNetwork(url: string, error: unknown): CliFailure {
  if (error instanceof CliFailure) return error
  const code = codeOf(error)
  const isTls = Object.hasOwn(tlsWords, code)
  const [says, hint] = tlsWords[code] ?? networkWords[code] ?? ['the connection broke', 'try again']
  const host = new URL(url).host
  const name = isTls ? 'bridge.tls-refused' : 'bridge.unreachable'
  return new CliFailure('unreachable', name, `\`${host}\` cannot be reached: ${says} (${code})`, hint)
}

const statusHints: Readonly<Record<number, string>> = {
  401: 'the token is missing, has expired or was revoked: run `castellan connect`, or `castellan login`',
  403: 'the server is up and says no: ask for a role, or look at `castellan hold list`',
  404: 'look at the path of the URL: /mcp, /servers/<name>/mcp or /bundles/<name>/mcp',
  413: 'the message is larger than the gateway takes',
  429: 'too many requests: wait, then try again',
  502: 'a proxy in front of the gateway cannot reach it',
  503: 'the gateway is up and cannot serve: wait, then try again',
  504: 'the call took too long; it may go on',
}

function hintOf(status: number, retryAfter: string | undefined): string {
  const hint = statusHints[status] ?? 'look with `castellan doctor`'
  return retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter) ? `${hint} (${retryAfter} s)` : hint
}

function errorIn(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    const error = isObject(json) ? json['error'] : undefined
    return isObject(error) && Number.isSafeInteger(error['code']) ? error : undefined
  } catch {
    return undefined
  }
}

/**
 * What a client is told of an answer that is no answer to its request: the server's own error when it sent one, under
 * the request's id, with a hint in any case.
 */
export function errorOfStatus(
  id: Id,
  answer: { status: number; text: string; retryAfter: string | undefined },
): string {
  const { status, text, retryAfter } = answer
  const hint = hintOf(status, retryAfter)
  const error = errorIn(text)
  if (error === undefined)
    return jsonRpcError(id, status, `the gateway answered with status ${status}`, {
      code: 'bridge.refused',
      hint,
      status,
    })
  const told = isObject(error['data']) ? error['data'] : {}
  return jsonRpcError(id, Number(error['code']), String(error['message']), { hint, ...told, status })
}

/** What a client is told when there is no answer at all. */
export function errorOfFailure(id: Id, failure: CliFailure): string {
  const { code, hint } = failure
  return jsonRpcError(id, errorCodes.internalError, failure.message, { code, hint })
}
