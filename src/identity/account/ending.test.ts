import { expect, test } from 'vitest'
import { forAllTests } from '../../../test/ending.ts'
import { startWorld } from '../../../test/world/castellan.ts'
import { authorizationRequest, register } from '../../../test/world/oauth/client.ts'
import type { Person } from '../../../test/world/people.ts'
import { createPageClient, hiddenFields } from '../../../test/world/pages/page-client.ts'

const world = forAllTests(() => startWorld())

const paths = ['/account/clients', '/account/sessions', '/account/tokens']

/** A person in a browser who has a session elsewhere, a client and a token; with what the forms of their account send. */
async function withEverything(person: Person) {
  const { gatewayUrl } = world()
  const browser = createPageClient(gatewayUrl)
  await browser.signIn(person)
  await person.mint('books')
  const { body } = await register(gatewayUrl)
  const asking = { clientId: String(body['client_id']), resource: `${gatewayUrl}/mcp` }
  const asked = await browser.request(authorizationRequest(gatewayUrl, asking).address.slice(gatewayUrl.length))
  await browser.submit(new URL(asked.headers.location ?? '', gatewayUrl).pathname, { answer: 'allow' })
  const look = async () => {
    const { text } = await browser.request('/account')
    return new Map(paths.map((path) => [path, hiddenFields(text, path)]))
  }
  return { browser, look }
}

test('what is another person’s cannot be ended, and is answered like what never was', async () => {
  const owner = await withEverything(world().ana)
  const stranger = await withEverything(await world().join('mallory', []))
  const [theirs, own] = [await owner.look(), await stranger.look()]
  for (const path of paths) {
    const { form = '' } = own.get(path) ?? {}
    const answers: unknown[] = []
    for (const id of [theirs.get(path)?.['id'] ?? '', '00000000-0000-7000-8000-000000000000', '', "' or 1=1 --"]) {
      const { status, text } = await stranger.browser.request(path, { fields: { form, id } })
      answers.push([status, text])
    }
    expect(answers[0]).toEqual([404, expect.stringContaining('There is no such')])
    for (const answer of answers) expect(answer).toEqual(answers[0])
    const ended = await stranger.browser.request(path, { fields: own.get(path) ?? {} })
    expect([path, ended.status]).toEqual([path, 303])
  }
  const after = await owner.look()
  for (const path of paths) expect(after.get(path)?.['id']).toBe(theirs.get(path)?.['id'])
})

test('what is one’s own is ended once; the second time it is not there', async () => {
  const { gatewayUrl, join } = world()
  const ben = await join('ben', [])
  const browser = createPageClient(gatewayUrl)
  await browser.signIn(ben)
  const page = (await browser.request('/account')).text
  const fields = hiddenFields(page, '/account/sessions')
  const ended = await browser.request('/account/sessions', { fields })
  expect([ended.status, ended.headers.location]).toEqual([303, '/account?done=session-ended'])
  expect((await browser.request('/account/sessions', { fields })).status).toBe(404)
  expect((await ben.api('GET', '/me')).status).toBe(401)
})
