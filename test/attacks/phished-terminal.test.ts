/**
 * Mallory runs `castellan login` and sends the code to Ana, the administrator: "please type this". Or she finds a browser
 * that was signed in with a password alone, tries a code twice, late, or after somebody else has decided.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { adminApi, allowTerminal, startTerminal } from '../world/oauth/terminal.ts'
import { createVisitor } from '../world/oauth/visitor.ts'
import { createPageClient } from '../world/pages/page-client.ts'

const minuteMs = 60_000

proves(
  'TRM-1',
  'a link, a click and a blind yes give no terminal away; what is asked for is said in words',
  async () => {
    const world = await startWorld()
    const { userCode, poll } = await startTerminal(world)
    const ana = createPageClient(world.gatewayUrl)
    await ana.signIn(world.ana)
    const link = await ana.request(`/device?user_code=${userCode}&answer=allow&own=yes`)
    expect(link.text).not.toContain('value="allow"')
    const blind = await ana.submit('/device', { user_code: userCode, answer: 'allow', own: 'yes' })
    for (const words of [
      'administer this Castellan',
      'sent you the code',
      'I ran <code>castellan login</code> myself',
      '127.0.0.1',
    ])
      expect(blind.text).toContain(words)
    expect(blind.headers['content-security-policy']).toContain("frame-ancestors 'none'")
    const clicked = await allowTerminal(world, world.ana, userCode, {})
    expect(clicked.status).toBe(400)
    expect((await poll()).body['error']).toBe('authorization_pending')
    expect(await world.ledger('&event=grant.made')).toEqual([])
    expect((await world.ledger('&event=device-code.refused')).at(-1)).toMatchObject({
      refusal: 'identity.terminal-not-confirmed',
      principal: { name: 'ana' },
    })
  },
  90_000,
)

proves(
  'TRM-1',
  'a session with a password alone signs no terminal in where a second factor is needed',
  async () => {
    const world = await startWorld()
    const { userCode, poll } = await startTerminal(world)
    const visitor = createVisitor(world.gatewayUrl)
    let page = await visitor.open(`${world.gatewayUrl}/device`)
    page = await visitor.submit(page, {
      name: world.ana.name,
      password: world.ana.password,
      code: world.ana.nextCode(),
    })
    page = await visitor.submit(page, { user_code: userCode })
    const database = new DatabaseSync(join(world.dataDir, 'castellan.db'))
    database.prepare('update sessions set factors = ?').run('["password"]')
    database.close()
    const refused = await visitor.submit(page, { answer: 'allow', own: 'yes' })
    expect(refused.status).toBe(403)
    expect((await poll()).body['error']).toBe('authorization_pending')
    expect((await world.ledger('&event=device-code.refused')).at(-1)?.refusal).toBe('identity.terminal-factor-needed')
    expect(await world.ledger('&event=grant.made')).toEqual([])
  },
  90_000,
)

proves(
  'TRM-1',
  'a code is decided once, in time, and makes its terminal whoever decided: it is redeemed once',
  async () => {
    const world = await startWorld()
    const mallory = await world.join('mallory', [])
    const hers = await startTerminal(world)
    await allowTerminal(world, mallory, hers.userCode)
    expect((await allowTerminal(world, world.ana, hers.userCode)).status).toBe(404)
    const told = await hers.poll()
    const token = String(told.body['access_token'])
    expect((await adminApi(world.adminUrl, token)).body).toMatchObject({ person: { name: 'mallory', roles: [] } })
    expect((await adminApi(world.adminUrl, token, '/people')).status).toBe(403)
    const replayed = await hers.poll()
    expect([replayed.status, replayed.body['error']]).toEqual([400, 'invalid_grant'])
    const late = await startTerminal(world)
    world.clock.advance(10 * minuteMs)
    expect((await allowTerminal(world, world.ana, late.userCode)).status).toBe(404)
    expect(['invalid_grant', 'expired_token']).toContain((await late.poll()).body['error'])
    expect(await world.ledger('&event=grant.made')).toHaveLength(1)
  },
  90_000,
)
