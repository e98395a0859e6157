import { constants } from 'node:crypto'
import { createSecureContext, type SecureContextOptions, type SecureVersion } from 'node:tls'
import { Misuse } from '#kernel'

/** What a listener needs to speak TLS. */
export interface Tls {
  /** PEM: the server's certificate, then the chain up to its root. */
  readonly certificate: string
  /** PEM, without a passphrase. */
  readonly key: string
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
}

/** SPEC: ASVS 5.0, 12.1.1 and 12.1.2; RFC 9325: forward secrecy and authenticated encryption only, the strongest first. */
const suites = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
]
const classicalGroups = ['X25519', 'P-256', 'P-384']
/** Safe also from who records today and has a quantum computer one day. */
const hybridGroup = 'X25519MLKEM768'

const strict: SecureContextOptions & { maxVersion: SecureVersion } = {
  ciphers: suites.join(':'),
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
  maxVersion: 'TLSv1.3',
}

let groups: string | undefined

/** The groups that this build of OpenSSL has. */
function keyExchange(): string {
  if (groups !== undefined) return groups
  const all = [hybridGroup, ...classicalGroups].join(':')
  try {
    createSecureContext({ ecdhCurve: all })
    groups = all
  } catch {
    groups = classicalGroups.join(':')
  }
  return groups
}

/**
 * The options of a server that speaks TLS as Castellan does: 1.2 and 1.3, forward-secret suites with authenticated
 * encryption, in our order.
 * @throws Misuse `http.tls-unusable` when OpenSSL does not take the certificate with the key
 */
export function secureOptionsOf({ certificate, key, minVersion }: Tls): SecureContextOptions {
  const options = { ...strict, cert: certificate, key, minVersion, ecdhCurve: keyExchange() }
  try {
    createSecureContext(options)
  } catch (error) {
    throw new Misuse(
      'http.tls-unusable',
      'the certificate cannot be used with its key',
      'both must be PEM, belong together, and be signed with SHA-256 or better',
      { cause: error },
    )
  }
  return options
}
