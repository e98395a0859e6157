/**
 * A link to the sign-in page carries an address of the attacker's as the place to go on to, so that somebody who has just
 * signed in is asked for more by a page that looks the same.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { createPageClient, hiddenFields } from '../world/pages/page-client.ts'

const destinations = [
  'https://evil.example/',
  '//evil.example/account',
  '/\\evil.example',
  '\\/evil.example',
  '/\t/evil.example',
  '/\r\nlocation: https://evil.example',
  'javascript:alert(1)',
  'data:text/html,hello',
  '/..//evil.example',
  '/account@evil.example\\..\\..//',
  'account',
  '',
]

proves('PAG-3', 'whatever the address of the sign-in page says, it leads on to this Castellan', async () => {
  const world = await startWorld()
  const { name, password } = world.ana
  for (const next of destinations) {
    const query = new URLSearchParams({ next }).toString()
    const asked = createPageClient(world.gatewayUrl)
    const page = await asked.request(`/sign-in?${query}`)
    expect(page.text).not.toContain('evil.example')
    const fields = { ...hiddenFields(page.text, '/sign-in'), name, password, next }
    const answer = await asked.request('/sign-in', { fields: { ...fields, code: world.ana.nextCode() } })
    expect([next, answer.status, answer.headers.location]).toEqual([next, 303, '/account'])
    const again = await asked.request(`/sign-in?${query}`)
    expect(again.text).toMatch(/href="\/account"/)
  }
})

proves(
  'PAG-3',
  'the way back of somebody who is not signed in is the path that was asked for, on this Castellan',
  async () => {
    const world = await startWorld()
    const asked = createPageClient(world.gatewayUrl)
    for (const path of [
      '/account?x=//evil.example',
      '/account?next=https://evil.example/',
      '/account/password?%0d%0a',
    ]) {
      const { status, headers } = await asked.request(path)
      expect(status).toBe(303)
      const to = new URL(headers.location ?? '', world.gatewayUrl)
      expect([to.origin, to.pathname]).toEqual([world.gatewayUrl, '/sign-in'])
      const answer = await createPageClient(world.gatewayUrl).signIn(world.ana, to.searchParams.get('next') ?? '')
      expect(answer.headers.location?.startsWith('/account')).toBe(true)
    }
  },
)
