import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/world/folder.ts'
import { type KeyKind, makeAuthority } from '../../../test/world/wire/tls.ts'
import { readTls } from './tls-files.ts'

const minVersion = 'TLSv1.2'

async function issued(options: Parameters<Awaited<ReturnType<typeof makeAuthority>>['issue']>[0] = {}) {
  const leaf = await (await makeAuthority()).issue(options)
  return { leaf, paths: { certificate: leaf.certificatePath, key: leaf.keyPath, minVersion } as const }
}

test.each<KeyKind>(['ec-p256', 'ec-p384', 'rsa-2048'])('a certificate with a key of %s is read', async (key) => {
  const { leaf, paths } = await issued({ key, untilDays: 2 })
  const tls = readTls(paths)
  expect(tls).toMatchObject({ certificate: leaf.certificate, key: leaf.key, minVersion })
  expect(tls.expiresAt - Date.now()).toBeGreaterThan(1.9 * 86_400_000)
  expect(tls.expiresAt - Date.now()).toBeLessThanOrEqual(2 * 86_400_000)
})

test('a key that is too weak is refused', async () => {
  const { paths } = await issued({ key: 'rsa-1024' })
  expect(() => readTls(paths)).toThrow(expect.objectContaining({ name: 'Misuse', code: 'http.tls-weak-key' }))
})

test('a certificate is refused from the moment it ends, and before the moment it begins', async () => {
  const { paths } = await issued()
  const { expiresAt } = readTls(paths)
  expect(readTls(paths, expiresAt - 1).expiresAt).toBe(expiresAt)
  expect(() => readTls(paths, expiresAt)).toThrow(expect.objectContaining({ code: 'http.tls-expired' }))
  const { paths: early } = await issued({ fromDays: 1 })
  expect(() => readTls(early)).toThrow(expect.objectContaining({ code: 'http.tls-not-yet-valid' }))
  expect(() => readTls(early, Date.now() + 86_400_000 + 1_000)).not.toThrow()
})

test("another certificate's key is refused, and a chain in the wrong order is told apart", async () => {
  const authority = await makeAuthority()
  const [one, two] = [await authority.issue(), await authority.issue()]
  const mixed = { certificate: one.certificatePath, key: two.keyPath, minVersion } as const
  expect(() => readTls(mixed)).toThrow(
    expect.objectContaining({
      code: 'http.tls-mismatch',
      hint: 'give the key that the certificate was asked for with',
    }),
  )
  const backwards = join(temporaryFolder(), 'chain.crt')
  writeFileSync(backwards, authority.certificate + one.certificate)
  expect(() => readTls({ certificate: backwards, key: one.keyPath, minVersion })).toThrow(
    expect.objectContaining({ code: 'http.tls-mismatch', hint: expect.stringContaining('comes first') }),
  )
})

function fileWith(content: string | Buffer): string {
  const path = join(temporaryFolder(), 'file.pem')
  writeFileSync(path, content, { mode: 0o600 })
  return path
}

test('what is no PEM, is missing, locked or far too large is refused with its path, never with its content', async () => {
  const { leaf, paths } = await issued()
  const locked = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'sesame',
  })
  const cases: [string, { certificate?: string; key?: string }][] = [
    ['http.tls-unreadable', { certificate: '/nowhere/server.crt' }],
    ['http.tls-unreadable', { key: temporaryFolder() }],
    ['http.tls-unreadable', { certificate: fileWith(leaf.certificate + ' '.repeat(1024 * 1024)) }],
    ['http.tls-not-pem', { certificate: fileWith('') }],
    ['http.tls-not-pem', { certificate: fileWith('hello') }],
    ['http.tls-not-pem', { certificate: paths.key }],
    ['http.tls-not-pem', { certificate: fileWith(leaf.certificate.replace('MII', 'AII')) }],
    ['http.tls-not-pem', { key: paths.certificate }],
    ['http.tls-not-pem', { key: fileWith(leaf.key.slice(0, 60)) }],
    ['http.tls-locked-key', { key: fileWith(locked) }],
  ]
  for (const [code, changed] of cases) {
    let problem: { code?: string; message?: string } = {}
    try {
      readTls({ ...paths, ...changed })
    } catch (thrown) {
      problem = thrown as typeof problem
    }
    const [path = ''] = Object.values(changed)
    expect([code, problem.code, problem.message?.includes(path)]).toEqual([code, code, true])
    expect(problem.message).not.toContain(readFileSync(paths.key, 'utf8').slice(40, 60))
  }
})

test('a key that every account can read is refused, one that its group can read is not', async () => {
  const { paths } = await issued()
  chmodSync(paths.key, 0o640)
  expect(() => readTls(paths)).not.toThrow()
  chmodSync(paths.key, 0o644)
  expect(() => readTls(paths)).toThrow(expect.objectContaining({ name: 'Misuse', code: 'http.tls-exposed-key' }))
})
