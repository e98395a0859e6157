/**
 * A page of another site lays Castellan's pages in a frame under its own buttons, so that a click on the one is a click
 * on the other. It also hopes that something of a page stays behind for the next person at the machine.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import { atEnd } from '../ending.ts'
import { proves } from '../proves.ts'
import { withBrowser } from '../world/browser.ts'
import { startWorld } from '../world/castellan.ts'
import { authorizationRequest, register } from '../world/oauth/client.ts'
import { createPageClient } from '../world/pages/page-client.ts'
import { openWindow, signInOn } from '../world/pages/visit-pages.ts'

/** The site of the attacker, on the same machine: to a browser it is the same site and another origin. */
async function startFrame(address: string): Promise<string> {
  const server = createServer((_req, res) => {
    const frame = `<iframe name="victim" src="${address}" width="800" height="600"></iframe>`
    res.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html><title>free cats</title>${frame}`)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  atEnd(() => server.close())
  return `http://localhost:${(server.address() as AddressInfo).port}/`
}

proves(
  ['PAG-2', 'PAG-7'],
  'a browser shows no page of a signed-in person in a frame, the consent page least of all',
  async () => {
    const world = await startWorld()
    const { gatewayUrl, ana } = world
    const { body } = await register(gatewayUrl)
    const asking = { clientId: String(body['client_id']), resource: `${gatewayUrl}/mcp` }
    await withBrowser(async (browser) => {
      const { page, complaints } = await openWindow(browser)
      await page.goto(authorizationRequest(gatewayUrl, asking).address)
      await signInOn(page, ana)
      const consent = page.url()
      expect(consent).toContain('/consent/')
      const framed = [consent, ...['/account', '/device', '/sign-in'].map((path) => `${gatewayUrl}${path}`)]
      for (const address of framed) {
        await page.goto(await startFrame(address))
        const frame = page.frame('victim')
        await expect.poll(() => frame?.url()).toBe('chrome-error://chromewebdata/')
      }
      expect(complaints.filter((one) => one.includes('frame-ancestors'))).toHaveLength(framed.length)
    })
    expect(await world.ledger('&event=grant.made')).toEqual([])
  },
  60_000,
)

proves('PAG-2', 'every answer to a signed-in person forbids frames and caches, whatever its status', async () => {
  const world = await startWorld()
  const browser = createPageClient(world.gatewayUrl)
  await browser.signIn(world.ana)
  const asked: (readonly [string, string, Record<string, string>?])[] = [
    ['GET', '/account'],
    ['GET', '/account/nothing'],
    ['GET', '/account/sessions'],
    ['GET', '/consent/nothing'],
    ['PUT', '/account'],
    ['POST', '/account/sessions', { all: 'others' }],
    ['POST', '/sign-in', { name: 'ana' }],
    ['GET', '/device'],
    ['GET', '/sign-out'],
  ]
  for (const [method, path, fields] of asked) {
    const { headers } = await browser.request(path, { method, ...(fields !== undefined && { fields }) })
    expect(headers['content-security-policy'], path).toContain("frame-ancestors 'none'")
    expect(headers, path).toMatchObject({ 'x-frame-options': 'DENY', 'cache-control': 'no-store' })
  }
})
