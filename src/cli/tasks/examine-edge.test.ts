import { expect, test } from 'vitest'
import { load } from '../../../test/world/machine/configuration.ts'
import { type IssueOptions, makeAuthority } from '../../../test/world/wire/tls.ts'
import { examineNetworks, examineTls } from './examine-edge.ts'

async function withCertificate(options: IssueOptions) {
  const { certificatePath, keyPath } = await (await makeAuthority()).issue(options)
  return load({ yaml: JSON.stringify({ gateway: { tlsCertificate: certificatePath, tlsKey: keyPath } }) })
}

test.each([
  [31, 'ok'],
  [29, 'warn'],
])('a certificate that ends in %i days is %s', async (untilDays, state) => {
  const finding = await examineTls('gateway', await withCertificate({ untilDays }), Date.now())
  expect(finding.state).toBe(state)
  expect(finding.says).toMatch(/^TLSv1\.2 and newer; the certificate ends on \d{4}-\d\d-\d\d/)
  if (state === 'warn') expect(finding.says).toMatch(/, in 2[89] days$/)
})

test('a certificate that has ended cannot be used', async () => {
  const loaded = await withCertificate({ fromDays: -9, untilDays: -1 })
  await expect(examineTls('gateway', loaded, Date.now())).rejects.toMatchObject({ code: 'http.tls-expired' })
})

test('plain HTTP is fine on loopback and told beyond', async () => {
  expect(await examineTls('admin', load(), 0)).toMatchObject({ state: 'ok' })
  const beyond = load({ yaml: 'admin: { addresses: ["::1", "::"], dangerouslyAllowPlainHttp: true }' })
  expect(await examineTls('admin', beyond, 0)).toMatchObject({ state: 'warn', says: 'plain HTTP on ::' })
})

test.each([
  ['the defaults', '', 'ok'],
  ['a proxy by its address', 'gateway: { trustedProxies: [10.0.0.1] }', 'ok'],
  ['everybody as a proxy', 'gateway: { trustedProxies: ["::/0"] }', 'fail'],
  ['an admin listener for everybody on loopback', 'admin: { allowedNetworks: [0.0.0.0/0] }', 'ok'],
  [
    'an admin listener for everybody',
    'admin: { allowedNetworks: [0.0.0.0/0], addresses: [0.0.0.0], dangerouslyAllowPlainHttp: true }',
    'warn',
  ],
])('networks: %s', async (_what, yaml, state) => {
  expect(await examineNetworks(load({ yaml }))).toMatchObject({ name: 'networks', state })
})

test('a network that cannot be read is named', async () => {
  const loaded = load({ yaml: 'gateway: { allowedNetworks: [10.0.0.1/8] }' })
  await expect(examineNetworks(loaded)).rejects.toMatchObject({
    code: 'http.bad-network',
    message: expect.stringContaining('`10.0.0.1/8` in `gateway.allowedNetworks`'),
  })
})
