import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { temporaryFolder } from '../folder.ts'

/** A certificate with its key, as PEM and in files of their own. */
export interface Leaf {
  /** The server's certificate, then that of the authority. */
  readonly certificate: string
  readonly key: string
  readonly certificatePath: string
  readonly keyPath: string
}

export type KeyKind = 'rsa-2048' | 'rsa-1024' | 'ec-p256' | 'ec-p384'

export interface IssueOptions {
  /** EC on P-256 unless told. */
  readonly key?: KeyKind
  /** Days from today; from yesterday until in a month unless told. */
  readonly fromDays?: number
  readonly untilDays?: number
  readonly commonName?: string
  /** Where its files lie; a folder that is removed after the running test unless told. */
  readonly folder?: string
}

/** A certificate authority of a test's own, which issues for this machine's loopback names. */
export interface Authority {
  /** PEM, for a client's `ca`. */
  readonly certificate: string
  issue(options?: IssueOptions): Promise<Leaf>
}

const dayMs = 86_400_000
const ecdsa = { name: 'ECDSA', hash: 'SHA-256' }
const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]) }
const algorithms = {
  'rsa-2048': { ...rsa, modulusLength: 2048 },
  'rsa-1024': { ...rsa, modulusLength: 1024 },
  'ec-p256': { ...ecdsa, namedCurve: 'P-256' },
  'ec-p384': { ...ecdsa, namedCurve: 'P-384' },
} as const

type KeyPair = webcrypto.CryptoKeyPair

cryptoProvider.set(webcrypto)

function makeKeys(kind: KeyKind): Promise<KeyPair> {
  return webcrypto.subtle.generateKey(algorithms[kind], true, ['sign', 'verify']) as Promise<KeyPair>
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  return `${PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`
}

/** Writes PEM as an operator would keep it: the key for the owner only. */
export function writePem(path: string, pem: string): void {
  writeFileSync(path, pem)
  chmodSync(path, 0o600)
}

function inDays(days: number): Date {
  return new Date(Date.now() + days * dayMs)
}

function leafExtensions() {
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    new SubjectAlternativeNameExtension([
      { type: 'dns', value: 'localhost' },
      { type: 'ip', value: '127.0.0.1' },
      { type: 'ip', value: '::1' },
    ]),
  ]
}

/** Makes an authority. */
export async function makeAuthority(name = 'CN=Test Authority'): Promise<Authority> {
  const keys = await makeKeys('ec-p256')
  const root = await X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    signingAlgorithm: ecdsa,
    notBefore: inDays(-1_000),
    notAfter: inDays(1_000),
    extensions: [
      new BasicConstraintsExtension(true, 1, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  })
  const certificate = `${root.toString('pem')}\n`
  let issued = 0
  return {
    certificate,
    async issue({ key = 'ec-p256', fromDays = -1, untilDays = 30, commonName = 'localhost', ...options } = {}) {
      const pair = await makeKeys(key)
      const leaf = await X509CertificateGenerator.create({
        subject: `CN=${commonName}`,
        issuer: root.subject,
        publicKey: pair.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ecdsa,
        notBefore: inDays(fromDays),
        notAfter: inDays(untilDays),
        extensions: leafExtensions(),
      })
      issued++
      const folder = options.folder ?? temporaryFolder()
      const paths = {
        certificatePath: join(folder, `server-${issued}.crt`),
        keyPath: join(folder, `server-${issued}.key`),
      }
      const pem = { certificate: `${leaf.toString('pem')}\n${certificate}`, key: await pemOf(pair.privateKey) }
      writePem(paths.certificatePath, pem.certificate)
      writePem(paths.keyPath, pem.key)
      return { ...pem, ...paths }
    },
  }
}
