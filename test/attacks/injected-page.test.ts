/**
 * Whatever ends up on a page is chosen by somebody: names of clients, labels of tokens, what a browser says of itself,
 * what is typed, what stands in an address. The attacker chooses markup, line ends and signs that turn text around.
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

const markup = `"><script>document.title='owned'</script><img src=x onerror="document.title='owned'"><b>'`

/** Where the answers of a client go to, with somebody there. */
async function listeningClient(): Promise<string> {
  const server = createServer((_req, res) => void res.writeHead(200, { 'content-type': 'text/html' }).end('answered'))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  atEnd(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`
}

proves(
  'PAG-4',
  'markup in names, labels, agents, fields and addresses is text on every page',
  async () => {
    const world = await startWorld()
    const { gatewayUrl, ana } = world
    const redirectUri = await listeningClient()
    const { body } = await register(gatewayUrl, { client_name: markup, redirect_uris: [redirectUri] })
    const asking = { clientId: String(body['client_id']), resource: `${gatewayUrl}/mcp`, redirectUri }
    const resource = `${gatewayUrl}/servers/books/mcp`
    expect((await ana.api('POST', '/tokens', { label: markup, resource, ttlSeconds: 3600 })).status).toBe(201)
    await withBrowser(async (browser) => {
      const { page, complaints } = await openWindow(browser)
      await page.context().setExtraHTTPHeaders({ 'user-agent': `agent ${markup}` })
      await page.goto(
        `${gatewayUrl}/sign-in?${new URLSearchParams({ next: `/account?${markup}`, asks: markup }).toString()}`,
      )
      await page.fill('#name', markup)
      await page.fill('#password', markup)
      await page.fill('#code', '123456')
      await page.click('form[action="/sign-in"] button')
      expect(await page.inputValue('#name')).toBe(markup)
      await page.goto(authorizationRequest(gatewayUrl, asking).address)
      await signInOn(page, ana)
      expect(await page.innerText('.lead')).toContain('<script>')
      await page.click('button[value=allow]')
      await page.waitForURL(`${redirectUri}?*`)
      for (const path of ['/account', `/account?done=${markup}`, `/device?user_code=${markup}`, `/account/${markup}`]) {
        await page.goto(`${gatewayUrl}${path}`)
        expect(await page.title(), path).toMatch(/^[A-Z][a-z ]+ · Castellan$/)
        expect(await page.locator('main img, main b, main script').count(), path).toBe(0)
      }
      await page.goto(`${gatewayUrl}/account`)
      expect(await page.innerText('#clients')).toContain('<script>')
      expect(await page.innerText('#tokens')).toContain('<script>')
      expect(await page.innerText('#sessions')).toContain('<script>')
      expect(complaints).toEqual([])
    })
  },
  60_000,
)

proves('PAG-4', 'a name cannot hide, turn around or outgrow what stands beside it', async () => {
  const world = await startWorld()
  const { gatewayUrl, ana } = world
  const { body } = await register(gatewayUrl, { client_name: `Trusted\u202E\u200B\u2066${'x'.repeat(90)}` })
  const asking = { clientId: String(body['client_id']), resource: `${gatewayUrl}/mcp` }
  const browser = createPageClient(gatewayUrl)
  await browser.signIn(ana)
  const asked = await browser.request(authorizationRequest(gatewayUrl, asking).address.slice(gatewayUrl.length))
  const { text } = await browser.request(new URL(asked.headers.location ?? '', gatewayUrl).pathname)
  expect(text).not.toMatch(/[\u200B\u202A-\u202E\u2066-\u2069]/)
  expect(text).toContain('127.0.0.1:33418')
  expect(text).not.toContain('x'.repeat(81))
})

proves('PAG-4', 'line ends and semicolons become no header and no cookie', async () => {
  const world = await startWorld()
  const { gatewayUrl, ana } = world
  const evil = 'x\r\nset-cookie: planted=1\r\nx-planted: 1; planted=1'
  const browser = createPageClient(gatewayUrl)
  const answers = [
    await browser.request(
      `/sign-in?${new URLSearchParams({ next: `/account\r\nset-cookie: planted=1`, asks: evil }).toString()}`,
    ),
    await browser.submit('/sign-in', { name: evil, password: evil, code: evil, next: evil }),
    await browser.request(`/account?${encodeURIComponent(evil)}`),
    await browser.submit('/sign-in', {
      name: ana.name,
      password: ana.password,
      code: ana.nextCode(),
      next: `/a${evil}`,
    }),
    await browser.request(`/account?done=${encodeURIComponent(evil)}`),
    await browser.submit('/device', { user_code: evil }),
  ]
  for (const { headers } of answers) {
    expect(headers).not.toHaveProperty('x-planted')
    expect((headers['set-cookie'] ?? []).filter((cookie) => !cookie.startsWith('castellan-'))).toEqual([])
    expect(headers.location ?? '').not.toMatch(/planted=1$/)
  }
  expect([...browser.cookies.keys()].every((name) => name.startsWith('castellan-'))).toBe(true)
})
