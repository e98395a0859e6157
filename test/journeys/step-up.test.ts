/**
 * Ben's client calls a tool that needs a fresh factor. He opens the link in a real browser, looks at the call, proves it by
 * code or passkey, and the client goes on: with the official clients of both generations, at a server's own address and
 * where several answer.
 */
import {
  Client as ClientOfToday,
  StreamableHTTPClientTransport as TransportOfToday,
} from '@modelcontextprotocol/client'
import { Client as ClientOfBefore } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportOfBefore } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema, UrlElicitationRequiredError } from '@modelcontextprotocol/sdk/types.js'
import type { Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { withBrowser } from '../world/browser.ts'
import { createPageClient } from '../world/pages/page-client.ts'
import { flaws, openWindow, signInOn } from '../world/pages/visit-pages.ts'
import { pay, prove, startPayments, type Payments } from '../world/step-up/payments.ts'

const slow = { timeout: 120_000 }
const shots = process.env['CASTELLAN_SCREENSHOTS']

function requestInit(token: string) {
  return { requestInit: { headers: { authorization: `Bearer ${token}` } } }
}

async function connectBefore(
  { world, token }: Pick<Payments, 'world' | 'token'>,
  elicitation: { url?: object; form?: {} },
  path?: string,
) {
  const client = new ClientOfBefore({ name: 'before', version: '1' }, { capabilities: { elicitation } })
  const url = new URL(`${world.gatewayUrl}${path ?? '/servers/books/mcp'}`)
  const transport = new TransportOfBefore(url, requestInit(token))
  // WHY: the 1.x library's own transport does not satisfy its interface under exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<ClientOfBefore['connect']>[0])
  onTestFinished(() => client.close())
  return client
}

async function connectToday(
  { world, token }: Pick<Payments, 'world' | 'token'>,
  open: (url: string) => void,
  path = '/servers/books/mcp',
) {
  const client = new ClientOfToday(
    { name: 'today', version: '1' },
    { versionNegotiation: { mode: 'auto' }, capabilities: { elicitation: { url: {} } } },
  )
  client.setRequestHandler('elicitation/create', (request) => {
    if (request.params.mode === 'url') open(request.params.url)
    return { action: 'accept' as const }
  })
  await client.connect(new TransportOfToday(new URL(`${world.gatewayUrl}${path}`), requestInit(token)))
  onTestFinished(() => client.close())
  return client
}

const call = { name: 'echo', arguments: { amount: 10, to: '\u202eevil' } }
const moved = { content: [{ type: 'text', text: expect.stringContaining('"amount":10') }] }

test('the 1.x client that opens addresses is told where, and passes when it calls again', slow, async () => {
  const payments = await startPayments()
  const { ben, browser } = payments
  const client = await connectBefore(payments, { url: {} })
  const refused: unknown = await client.callTool(call).catch((error: unknown) => error)
  if (!(refused instanceof UrlElicitationRequiredError)) throw refused
  const [elicitation] = refused.elicitations
  expect(elicitation).toMatchObject({ mode: 'url', message: expect.stringContaining('`echo` of `books`') })
  const { pathname } = new URL(elicitation?.url ?? '')
  expect(pathname).toBe(`/step-up/${elicitation?.elicitationId}`)
  expect(await prove(browser, ben, pathname)).toBe('Proved')
  expect(await client.callTool(call)).toMatchObject(moved)
  await expect(client.callTool(call)).rejects.toBeInstanceOf(UrlElicitationRequiredError)
})

test('the 1.x client that opens none reads the address and the id in the error', slow, async () => {
  const payments = await startPayments()
  const { ben, browser } = payments
  for (const elicitation of [{}, { form: {} }]) {
    const client = await connectBefore(payments, elicitation)
    const refused = (await client.callTool(call).catch((error: unknown) => error)) as { message: string; code: number }
    expect(refused).not.toBeInstanceOf(UrlElicitationRequiredError)
    expect(refused.code).toBe(403)
    const [, path = '', id = ''] = /(\/step-up\/([A-Za-z0-9_-]{43}))/.exec(refused.message) ?? []
    expect(refused).toMatchObject({ data: { code: 'gateway.step-up-needed', stepUp: { id } } })
    expect(await prove(browser, ben, path)).toBe('Proved')
    expect(await client.callTool(call)).toMatchObject(moved)
  }
})

test('the 2.x client asks its person, waits, and has its answer without another call', slow, async () => {
  const payments = await startPayments()
  const { ben, browser, world } = payments
  const opened: Promise<string>[] = []
  const client = await connectToday(payments, (url) => void opened.push(prove(browser, ben, new URL(url).pathname)))
  expect(await client.callTool(call)).toMatchObject(moved)
  expect(await Promise.all(opened)).toEqual(['Proved'])
  expect(world.books.calls('tools/call')).toHaveLength(1)
})

test('where several servers answer, clients of both generations are asked, and pass', slow, async () => {
  const payments = await startPayments()
  const { ben, browser, world } = payments
  const token = await ben.mint('/mcp')
  const asked: Promise<string>[] = []
  const open = (url: string) => void asked.push(prove(browser, ben, new URL(url).pathname))
  const today = await connectToday({ world, token }, open, '/mcp')
  const { tools } = await today.listTools()
  const echo = tools.find(({ name }) => name.endsWith('echo'))?.name ?? ''
  expect(await today.callTool({ ...call, name: echo })).toMatchObject(moved)
  const before = await connectBefore({ world, token }, { url: {} }, '/mcp')
  before.setRequestHandler(ElicitRequestSchema, ({ params }) => {
    if (params.mode === 'url') open(params.url)
    return { action: 'accept' as const }
  })
  expect(await before.callTool({ ...call, name: echo })).toMatchObject(moved)
  expect(await Promise.all(asked)).toEqual(['Proved', 'Proved'])
  expect(world.books.calls('tools/call')).toHaveLength(2)
})

async function linkFor({ world, token }: Payments, amount: number, more: object = {}): Promise<string> {
  const message = pay(amount)
  Object.assign((message['params'] as { arguments: object }).arguments, more)
  const { body } = await world.post({ token, message })
  return /"url":"([^"]+)"/.exec(JSON.stringify(body))?.[1] ?? ''
}

async function addPasskey(page: Page, { world, ben }: Payments): Promise<void> {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  const able = { hasResidentKey: true, hasUserVerification: true, isUserVerified: true }
  const options = {
    ...able,
    protocol: 'ctap2' as const,
    transport: 'internal' as const,
    automaticPresenceSimulation: true,
  }
  await devtools.send('WebAuthn.addVirtualAuthenticator', { options })
  await page.goto(`${world.gatewayUrl}/account/passkeys/add`)
  await page.fill('#password', ben.password)
  await page.fill('#code', ben.nextCode())
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('button', { name: 'Create passkey' }).click()
  await page.getByText('The passkey is added').waitFor()
}

test.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 320],
  ['dark', 320],
] as const)('the page shows the whole call, in the %s theme, %d pixels wide', slow, async (theme, width) => {
  const payments = await startPayments()
  const { world, ben } = payments
  await withBrowser(async (browser) => {
    const { page, complaints } = await openWindow(browser, { theme, width })
    const look = async (name: string) => {
      expect(await flaws(page), name).toEqual([])
      if (shots !== undefined) await page.screenshot({ path: `${shots}/${name}-${theme}-${width}.png`, fullPage: true })
    }
    const link = await linkFor(payments, 10, { to: '\u202eevil', note: '<b>rent</b> '.repeat(40) })
    await page.goto(link)
    await signInOn(page, ben)
    expect(new URL(page.url()).pathname).toBe(new URL(link).pathname)
    const shown = await page.locator('main').innerText()
    for (const part of ['books', 'echo', '"amount": 10', '\\u202eevil', '<b>rent</b>', 'ben test', 'Time left']) {
      expect(shown).toContain(part)
    }
    await look('asked')
    await page.fill('#password', ben.password)
    await page.fill('#code', '000000')
    await page.getByRole('button', { name: 'Let this call pass' }).click()
    await look('refused')
    await page.fill('#password', ben.password)
    await page.fill('#code', ben.nextCode())
    await page.getByRole('button', { name: 'Let this call pass' }).click()
    expect(await page.locator('h1').innerText()).toBe('Proved')
    await look('proved')
    await page.goto(await linkFor(payments, 11))
    await page.getByRole('button', { name: 'Deny' }).click()
    expect(await page.locator('h1').innerText()).toBe('Denied')
    await look('denied')
    expect(complaints).toEqual([])
  })
  expect(world.books.calls('tools/call')).toEqual([])
})

test('the page does its work without JavaScript, and with a passkey alone', slow, async () => {
  const payments = await startPayments()
  const { world, ben, token } = payments
  await withBrowser(async (browser) => {
    const { page } = await openWindow(browser, { hasScripts: false })
    await page.goto(await linkFor(payments, 10))
    await signInOn(page, ben)
    await page.fill('#password', ben.password)
    await page.fill('#code', ben.nextCode())
    await page.getByRole('button', { name: 'Let this call pass' }).click()
    expect(await page.locator('h1').innerText()).toBe('Proved')
  })
  expect((await world.post({ token, message: pay(10) })).body).toHaveProperty('result')
  await withBrowser(async (browser) => {
    const { page, complaints } = await openWindow(browser)
    await page.goto(`${world.gatewayUrl}/sign-in`)
    await signInOn(page, ben)
    await addPasskey(page, payments)
    await page.goto(await linkFor(payments, 10))
    expect(await flaws(page)).toEqual([])
    await page.getByRole('button', { name: 'Prove it with a passkey and let it pass' }).click()
    await page.getByText('The call passes once').waitFor()
    expect(complaints).toEqual([])
  })
  expect((await world.post({ token, message: pay(10) })).body).toHaveProperty('result')
  const proved = (await world.ledger('&event=step-up.proved')).map(({ details }) => details?.['factors'])
  expect(proved).toEqual([['password', 'totp'], ['passkey']])
})

test('in a batch each call is asked for by itself', slow, async () => {
  const { world, ben, token } = await startPayments()
  const browser = createPageClient(world.gatewayUrl)
  await browser.signIn(ben)
  const batch = async () => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    }
    const body = JSON.stringify([
      { ...pay(1), id: 1 },
      { ...pay(1), id: 2 },
      { ...pay(2), id: 3 },
    ])
    const answer = await fetch(`${world.gatewayUrl}/servers/books/mcp`, { method: 'POST', headers, body })
    const parts = (await answer.json()) as { id: number; result?: object; error?: object }[]
    return parts.toSorted((one, other) => one.id - other.id)
  }
  const [one, other, two] = await batch()
  const pathOf = (part: object | undefined) => /\/step-up\/[A-Za-z0-9_-]{43}/.exec(JSON.stringify(part))?.[0] ?? ''
  expect(pathOf(other)).toBe(pathOf(one))
  expect(pathOf(two)).not.toBe(pathOf(one))
  expect(await prove(browser, ben, pathOf(one))).toBe('Proved')
  const again = await batch()
  expect(again.filter(({ result }) => result !== undefined)).toHaveLength(1)
  expect(again[2]).not.toHaveProperty('result')
  expect(world.books.calls('tools/call')).toHaveLength(1)
})
