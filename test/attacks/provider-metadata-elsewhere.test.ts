/**
 * The provider's metadata were changed by somebody: they name another issuer, or send codes and secrets to Mallory's
 * host; its token endpoint leads on to her, its answers have no end, and its userinfo tells of somebody else.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startLyingWorld } from '../world/identity-provider/lying-world.ts'
import { startLyingProvider } from '../world/identity-provider/lying-provider.ts'
import { createVisitor } from '../world/identity-provider/visitor.ts'

proves(
  'FED-5',
  'metadata of another issuer, or endpoints at a foreign host, are not used',
  async () => {
    const { provider, begin, lastRefused, world } = await startLyingWorld()
    const mallory = await startLyingProvider()
    const plain = 'http://login.castle.test'
    const wrong: Record<string, unknown>[] = [
      { issuer: mallory.issuer },
      { issuer: `${provider.issuer}/` },
      { authorization_endpoint: `${mallory.issuer}/authorize` },
      { token_endpoint: `${mallory.issuer}/token` },
      { token_endpoint: `${plain}/token` },
      { jwks_uri: `${mallory.issuer}/jwks` },
      { userinfo_endpoint: `${mallory.issuer}/userinfo` },
      { end_session_endpoint: 'javascript:alert(1)' },
      { authorization_endpoint: undefined },
      { jwks_uri: `${provider.issuer.replace('//', '//someone@')}/jwks` },
    ]
    for (const metadata of wrong) {
      provider.says.metadata = metadata
      const refused = await begin(createVisitor())
      expect([JSON.stringify(metadata), refused.status]).toEqual([JSON.stringify(metadata), 503])
      expect((await lastRefused())?.refusal).toBe('identity.provider-unavailable')
      const tested = await world.ana.api('POST', '/providers/lies/test')
      expect(tested.body).toMatchObject({ isUsable: false })
    }
    expect(mallory.asked).toEqual([])
    provider.says.metadata = {}
    expect((await world.ana.api('POST', '/providers/lies/test')).body).toMatchObject({ isUsable: true, problem: null })
    expect((await begin(createVisitor())).status).toBe(303)
  },
  60_000,
)

proves(
  'FED-5',
  'the client secret and the code do not follow a redirect',
  async () => {
    const { provider, signIn, lastRefused } = await startLyingWorld()
    const mallory = await startLyingProvider()
    provider.says.redirectsTo = `${mallory.issuer}/token`
    expect((await signIn()).status).toBe(403)
    expect(mallory.asked).toEqual([])
    expect(provider.asked.at(-1)?.path).toBe('/token')
    expect((await lastRefused())?.details?.['problem']).toContain('redirect')
  },
  60_000,
)

proves(
  'FED-5',
  'an answer larger than any that is meant is not read to its end',
  async () => {
    const { provider, signIn, lastRefused } = await startLyingWorld()
    const most = 512 * 1024
    provider.says.token = { filler: 'x'.repeat(most) }
    expect((await signIn()).status).toBe(403)
    expect((await lastRefused())?.details?.['problem']).toContain(`more than ${most} bytes`)
    provider.says.token = { filler: 'x'.repeat(most - 4_096) }
    expect((await signIn()).status).toBe(303)
  },
  60_000,
)

proves(
  'FED-5',
  'what userinfo says of another subject is not said of this one',
  async () => {
    const { provider, signIn, lastRefused, world } = await startLyingWorld({ roles: { rulers: ['admin'] } })
    provider.says.userInfo = { sub: 'somebody else', groups: ['rulers'] }
    expect((await signIn()).status).toBe(403)
    expect((await lastRefused())?.refusal).toBe('identity.provider-sign-in-refused')
    expect(await world.ledger('&event=person.provisioned')).toEqual([])
  },
  60_000,
)

proves(
  'FED-5',
  'a provider beyond this machine is never spoken to without TLS, whatever is asked for',
  async () => {
    const { world } = await startLyingWorld()
    for (const issuer of [
      'http://login.castle.test',
      'http://10.0.0.1',
      'https://login.castle.test/?a',
      'ftp://localhost',
      'https://a@b.test',
    ]) {
      const body = { name: 'other', issuer, clientId: 'x', settings: { dangerouslyAllowPlainHttp: true } }
      expect((await world.ana.api('POST', '/providers', body)).status, issuer).toBe(422)
    }
    const loopback = { name: 'other', issuer: 'http://localhost:1', clientId: 'x' }
    expect((await world.ana.api('POST', '/providers', loopback)).body['code']).toBe('identity.provider-invalid')
  },
  60_000,
)
