import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { Misuse } from '#kernel'
import { type ReadText, readText } from '#platform/files'
import { secureOptionsOf, type Tls } from './tls-context.ts'

/** Where the certificate and its key are. */
export interface TlsPaths {
  /** PEM: the server's certificate, then the chain up to its root. */
  readonly certificate: string
  readonly key: string
  readonly minVersion: Tls['minVersion']
}

/** A certificate that a server can use. */
export interface ReadTls extends Tls {
  /** When the first certificate of the chain ends, in milliseconds since 1970. */
  readonly expiresAt: number
}

const maxFileBytes = 1024 * 1024
const minRsaBits = 2048
const curves = new Set(['prime256v1', 'secp384r1', 'secp521r1'])
const blocks = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/**
 * Reads a certificate with its key and checks that a server can use both.
 * @param atMs milliseconds since 1970
 * @throws Misuse `http.tls-unreadable`, `http.tls-exposed-key`, `http.tls-not-pem`, `http.tls-locked-key`, `http.tls-mismatch`,
 * `http.tls-weak-key`, `http.tls-expired`, `http.tls-not-yet-valid`, `http.tls-unusable`
 */
export function readTls(paths: TlsPaths, atMs = Date.now()): ReadTls {
  const certificate = read(paths.certificate, 'certificate').text
  const key = readSecret(paths.key)
  const chain = readChain(certificate, paths.certificate)
  const privateKey = readKey(key, paths.key)
  const [leaf] = chain
  if (leaf === undefined || !leaf.checkPrivateKey(privateKey)) throw mismatch(chain, privateKey, paths)
  if (!isStrong(leaf.publicKey)) {
    throw new Misuse(
      'http.tls-weak-key',
      `the key in \`${paths.key}\` is too weak`,
      `make one with RSA of ${minRsaBits} bits or more, or with ECDSA on P-256, P-384 or P-521`,
    )
  }
  for (const each of chain) refuseOutOfTime(each, paths.certificate, atMs)
  const tls = { certificate, key, minVersion: paths.minVersion }
  secureOptionsOf(tls)
  return { ...tls, expiresAt: Math.min(...chain.map((each) => each.validToDate.getTime())) }
}

function read(path: string, what: string): ReadText {
  try {
    return readText(path, maxFileBytes)
  } catch (error) {
    throw new Misuse(
      'http.tls-unreadable',
      `the ${what} in \`${path}\` cannot be read`,
      'check that the file is there and readable for this account',
      { cause: error },
    )
  }
}

function readSecret(path: string): string {
  const { text, isExposed } = read(path, 'key')
  if (!isExposed) return text
  throw new Misuse('http.tls-exposed-key', `everybody can read the key in \`${path}\``, `run \`chmod 600 ${path}\``)
}

function notPem(path: string, what: string, cause?: unknown): Misuse {
  const hint = `the file must be PEM and begin a block with \`-----BEGIN ${what === 'certificate' ? 'CERTIFICATE' : 'PRIVATE KEY'}-----\``
  return new Misuse('http.tls-not-pem', `there is no ${what} in \`${path}\``, hint, { cause })
}

function readChain(pem: string, path: string): X509Certificate[] {
  try {
    const chain = [...pem.matchAll(blocks)].map(([block]) => new X509Certificate(block))
    if (chain.length > 0) return chain
  } catch (error) {
    throw notPem(path, 'certificate', error)
  }
  throw notPem(path, 'certificate')
}

function readKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (error) {
    if (!/ENCRYPTED/.test(pem)) throw notPem(path, 'key', error)
    throw new Misuse(
      'http.tls-locked-key',
      `the key in \`${path}\` is locked with a passphrase`,
      'write it without one and make the file readable for this account only',
      { cause: error },
    )
  }
}

function mismatch(chain: readonly X509Certificate[], key: KeyObject, paths: TlsPaths): Misuse {
  const isLater = chain.some((each) => each.checkPrivateKey(key))
  return new Misuse(
    'http.tls-mismatch',
    `the key in \`${paths.key}\` is not that of the first certificate in \`${paths.certificate}\``,
    isLater
      ? 'the certificate of the server comes first, then the chain up to its root'
      : 'give the key that the certificate was asked for with',
  )
}

function isStrong({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean {
  if (type === 'rsa' || type === 'rsa-pss') return (details?.modulusLength ?? 0) >= minRsaBits
  if (type === 'ec') return curves.has(details?.namedCurve ?? '')
  return type === 'ed25519'
}

function refuseOutOfTime(certificate: X509Certificate, path: string, atMs: number): void {
  const name = certificate.subject.replaceAll('\n', ', ')
  if (certificate.validToDate.getTime() <= atMs) {
    throw new Misuse(
      'http.tls-expired',
      `the certificate of \`${name}\` in \`${path}\` ended on ${certificate.validToDate.toISOString()}`,
      'renew it, and check the clock of this machine',
    )
  }
  if (certificate.validFromDate.getTime() > atMs) {
    throw new Misuse(
      'http.tls-not-yet-valid',
      `the certificate of \`${name}\` in \`${path}\` begins on ${certificate.validFromDate.toISOString()}`,
      'wait until then, and check the clock of this machine',
    )
  }
}
