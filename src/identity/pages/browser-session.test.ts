import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { atEnd } from '../../../test/ending.ts'
import { eachDatabase } from '../../../test/world/databases.ts'
import { home, identityWorld } from '../../../test/world/identity.ts'
import { createBrowserSessions } from './browser-session.ts'

eachDatabase('the session of a browser', (open) => {
  /** A server behind TLS that signs in, tells who is there, and signs out. */
  async function start() {
    const world = await identityWorld(await open())
    const { identity } = world
    const ada = await world.admin()
    const browser = createBrowserSessions({ ...identity, publicUrl: () => 'https://gate.example' })
    const server = createServer(async (req, res) => {
      if (req.url === '/in') await browser.start(res, req, await world.signIn(ada))
      if (req.url === '/out') await browser.end(req, res)
      res.end((await browser.read(req, home))?.name ?? 'nobody')
    })
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    atEnd(() => server.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const ask = async (path: string, cookie = '') => {
      const response = await fetch(`${url}${path}`, { headers: { cookie } })
      const [given] = response.headers.getSetCookie()
      return { name: await response.text(), given, cookie: given?.split(';', 1)[0] ?? '' }
    }
    return { world, ask }
  }

  test('is a cookie that is locked to its host, sent over TLS alone, and to no script', async () => {
    const { ask } = await start()
    const { given } = await ask('/in')
    expect(given).toMatch(/^__Host-castellan=css_[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/)
    const out = await ask('/out', given?.split(';', 1)[0])
    expect(out.given).toBe('__Host-castellan=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0')
  })

  test('is a new one after each sign-in, and the former one has ended', async () => {
    const { world, ask } = await start()
    const first = await ask('/in')
    expect((await ask('/', first.cookie)).name).toBe('ada')
    const second = await ask('/in', first.cookie)
    expect((await ask('/', first.cookie)).name).toBe('nobody')
    expect((await ask('/', second.cookie)).name).toBe('ada')
    const ended = (await world.entries()).filter(({ event }) => event === 'session.ended')
    expect(ended).toHaveLength(1)
  })

  test('has ended after signing out, and signing out twice is no fault', async () => {
    const { ask } = await start()
    const { cookie } = await ask('/in')
    await ask('/out', cookie)
    expect((await ask('/', cookie)).name).toBe('nobody')
    expect((await ask('/out', cookie)).name).toBe('nobody')
    expect((await ask('/out')).name).toBe('nobody')
  })
})
