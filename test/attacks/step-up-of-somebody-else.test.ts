/**
 * Mallory has a call of hers that needs a fresh factor, and wants Ben to prove it: she sends him her link. She also has the
 * link to a call of Ben's, from a log, and wants it to pass: by her own factor, by a form of her page, inside a frame, with
 * his password alone, with a recovery code of his that she found.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { createPageClient } from '../world/pages/page-client.ts'
import { linkIn, pay, prove, startPayments } from '../world/step-up/payments.ts'

const isAsked = { body: { error: { data: { code: 'gateway.step-up-needed' } } } }
const gone = 'No call of yours waits for a proof at this address'

proves('STU-2', 'nobody proves or denies a call that was made in the name of somebody else', async () => {
  const { world, ben, token, browser } = await startPayments()
  const mallory = await world.join('mallory', ['payer'])
  const hers = createPageClient(world.gatewayUrl)
  await hers.signIn(mallory)
  const path = linkIn(await world.post({ token, message: pay(10) }))
  const herPath = linkIn(await world.post({ token: await mallory.mint('books'), message: pay(10) }))
  expect(herPath).not.toBe(path)
  for (const [visitor, who, foreign] of [
    [browser, ben, herPath],
    [hers, mallory, path],
  ] as const) {
    const shown = await visitor.request(foreign)
    expect(shown.status).toBe(404)
    expect(shown.text).toContain(gone)
    expect(shown.text).not.toContain('amount')
    expect(await prove(visitor, who, foreign)).not.toBe('Proved')
    const { form = '' } = { form: await visitor.tokenOf('/account', '/account/notices') }
    for (const does of ['prove', 'deny']) {
      const fields = { form, password: who.password, code: who.nextCode(), 'answer-is': does }
      expect((await visitor.request(foreign, { fields })).status).toBeGreaterThanOrEqual(403)
    }
  }
  const unknown = await hers.request(`/step-up/${'A'.repeat(43)}`)
  expect(unknown.status).toBe(404)
  expect(unknown.text.replaceAll(/value="[^"]*"/g, '')).toBe(
    (await hers.request(path)).text.replaceAll(/value="[^"]*"/g, ''),
  )
  const nobody = await createPageClient(world.gatewayUrl).request(path)
  expect([nobody.status, nobody.headers.location]).toEqual([303, `/sign-in?next=${encodeURIComponent(path)}`])
  const refused = await world.ledger('&event=step-up.refused')
  expect(new Set(refused.map(({ principal }) => principal?.name))).toEqual(new Set(['ben', 'mallory']))
  expect(await world.ledger('&event=step-up.proved')).toEqual([])
  expect(await world.post({ token, message: pay(10) })).toMatchObject(isAsked)
  expect(world.books.calls('tools/call')).toEqual([])
  expect(await prove(browser, ben, path)).toBe('Proved')
})

proves(['STU-2', 'PAG-1'], 'a call passes by a form of its own page alone, outside of any frame', async () => {
  const { world, ben, token, browser } = await startPayments()
  const path = linkIn(await world.post({ token, message: pay(10) }))
  const page = await browser.request(path)
  expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'")
  expect(page.headers['x-frame-options']).toBe('DENY')
  expect(page.headers['cache-control']).toBe('no-store')
  const fields = { password: ben.password, code: ben.nextCode(), 'answer-is': 'prove' }
  const elsewhere = await browser.tokenOf('/account/password', '/account/password')
  const own = await browser.tokenOf(path, path)
  for (const form of ['', elsewhere]) {
    expect((await browser.request(path, { fields: { ...fields, form } })).status).toBe(403)
  }
  const crossed = { 'sec-fetch-site': 'cross-site' }
  expect((await browser.request(path, { fields: { ...fields, form: own }, headers: crossed })).status).toBe(403)
  const deny = { form: own, 'answer-is': 'deny' }
  expect((await browser.request(path, { fields: deny, headers: crossed })).status).toBe(403)
  expect(await world.post({ token, message: pay(10) })).toMatchObject(isAsked)
  expect(await world.ledger('&event=step-up.denied')).toEqual([])
  expect(await prove(browser, ben, path)).toBe('Proved')
})

proves('STU-2', 'a password alone, a wrong one, a used code and a recovery code prove nothing', async () => {
  const { world, ben, token, browser } = await startPayments()
  const path = linkIn(await world.post({ token, message: pay(10) }))
  const code = ben.nextCode()
  const tries: Record<string, string>[] = [
    { password: ben.password },
    { password: ben.password, code: '' },
    { password: ben.password, code: '000000' },
    { password: 'wrong', code },
    { password: ben.password, code: ben.recoveryCodes[0] ?? '' },
    { password: '', code },
    {},
  ]
  for (const typed of tries) {
    const answer = await browser.submit(path, { ...typed, 'answer-is': 'prove' }, path)
    expect([typed, answer.status]).toEqual([typed, 403])
    expect(await world.post({ token, message: pay(10) })).toMatchObject(isAsked)
  }
  expect(await world.ledger('&event=step-up.proved')).toEqual([])
  // WHY: the recovery code was not used up.
  const changed = { current: ben.password, next: 'a new sentence about bridges', code: ben.recoveryCodes[0] ?? '' }
  expect((await browser.submit('/account/password', changed)).status).toBe(303)
  expect(world.books.calls('tools/call')).toEqual([])
})
