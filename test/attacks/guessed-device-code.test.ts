/**
 * Mallory has an account and guesses the codes that other people's devices show; or sends somebody a link to the code of
 * a device of her own, hoping that opening it is enough.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { post, register } from '../world/oauth/client.ts'
import { createPageClient } from '../world/pages/page-client.ts'

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

async function startDevice({ gatewayUrl }: World) {
  const metadata = { client_name: 'A terminal', grant_types: [deviceGrant], response_types: [], redirect_uris: [] }
  const { body } = await register(gatewayUrl, metadata)
  const client_id = String(body['client_id'])
  const asked = await post(gatewayUrl, '/oauth/device', { client_id, scope: 'mcp', resource: `${gatewayUrl}/mcp` })
  const code = { grant_type: deviceGrant, client_id, device_code: String(asked.body['device_code']) }
  return {
    userCode: String(asked.body['user_code']),
    complete: new URL(String(asked.body['verification_uri_complete'])),
    poll: async () => (await post(gatewayUrl, '/oauth/token', code)).body,
  }
}

proves(
  'PAG-8',
  'guesses are counted per person, over the limit the right code is not taken either, and others go on',
  async () => {
    const world = await startWorld()
    const mallory = await world.join('mallory', [])
    const device = await startDevice(world)
    const guessing = createPageClient(world.gatewayUrl)
    await guessing.signIn(mallory)
    const statuses: number[] = []
    for (const sign of 'BCDFG')
      statuses.push((await guessing.submit('/device', { user_code: `${sign.repeat(4)}-BBBB` })).status)
    expect(statuses).toEqual([404, 404, 404, 404, 404])
    const right = await guessing.submit('/device', { user_code: device.userCode })
    expect(right.status).toBe(429)
    expect(right.text).not.toContain('A terminal')
    expect(Number(right.headers['retry-after'])).toBeGreaterThan(0)
    const again = createPageClient(world.gatewayUrl)
    await again.signIn(mallory)
    expect((await again.submit('/device', { user_code: device.userCode })).status).toBe(429)
    const owner = createPageClient(world.gatewayUrl)
    await owner.signIn(world.ana)
    expect((await owner.submit('/device', { user_code: device.userCode })).text).toContain('A terminal')
    const refused = await world.ledger('&event=device-code.refused')
    expect(refused.map(({ refusal }) => refusal)).toEqual([
      ...Array<string>(5).fill('identity.device-code-unknown'),
      ...Array<string>(2).fill('identity.sign-in-throttled'),
    ])
    expect(refused.every(({ principal }) => principal?.name === 'mallory')).toBe(true)
    expect(await device.poll()).toMatchObject({ error: 'authorization_pending' })
  },
  60_000,
)

proves(
  'PAG-8',
  'opening a link with a code in it approves nothing: it is filled in, shown, compared and agreed to',
  async () => {
    const world = await startWorld()
    const device = await startDevice(world)
    const victim = createPageClient(world.gatewayUrl)
    const link = `${device.complete.pathname}${device.complete.search}`
    const asked = await victim.request(link)
    const { searchParams } = new URL(asked.headers.location ?? '', world.gatewayUrl)
    expect(searchParams.get('next')).toBe(link)
    await victim.signIn(world.ana, link)
    for (const more of ['', '&answer=allow', '&answer=allow&shown=1']) {
      const page = await victim.request(`${link}${more}`)
      expect(page.text).toContain(`value="${device.userCode}"`)
      expect(page.text).not.toContain('value="allow"')
    }
    const blind = await victim.submit('/device', { user_code: device.userCode, answer: 'allow' })
    expect(blind.text).toContain('Is this your device?')
    expect(blind.text).toContain(`<code>${device.userCode}</code>`)
    expect(blind.text).toContain('sent you the code')
    expect(await device.poll()).toMatchObject({ error: 'authorization_pending' })
    expect(await world.ledger('&event=grant.made')).toEqual([])
  },
)

proves(
  'PAG-8',
  'a device is decided once: of a yes and a no at the same moment one counts, and a second is told so',
  async () => {
    const world = await startWorld()
    const device = await startDevice(world)
    const browser = createPageClient(world.gatewayUrl)
    await browser.signIn(world.ana)
    const shown = await browser.submit('/device', { user_code: device.userCode })
    const hidden = [
      ...shown.text.matchAll(/name="(form|user_code|shown)" value="([^"]*)"|name="(\w+)"\s+value="([^"]*)"/g),
    ]
    const fields = Object.fromEntries(
      hidden.map(([, one, value, other, more]) => [one ?? other ?? '', value ?? more ?? '']),
    )
    const answers = await Promise.all(
      ['allow', 'deny'].map((answer) => browser.request('/device', { fields: { ...fields, answer } })),
    )
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 404])
    const second = await browser.request('/device', { fields: { ...fields, answer: 'allow' } })
    expect(second.status).toBe(404)
    expect((await world.ledger('&event=grant.made')).length).toBeLessThanOrEqual(1)
  },
)
