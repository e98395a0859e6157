import { expect, onTestFinished, test } from 'vitest'
import { startWorld } from '../world/castellan.ts'
import { authorizationRequest, nativeRedirect, obtainCode, register } from '../world/oauth/client.ts'
import { createVisitor } from '../world/oauth/visitor.ts'
import { hiddenFields } from '../world/pages/page-client.ts'
import { startNodes } from '../../tools/once/nodes.ts'

const rounds = 25
const mostMs = 120_000

interface Sent {
  readonly status: number
  readonly location: string
}

async function send(address: string, init: RequestInit): Promise<Sent> {
  const response = await fetch(address, { ...init, redirect: 'manual' })
  await response.text()
  return { status: response.status, location: response.headers.get('location') ?? '' }
}

test(
  'a yes that is sent twice at the same moment is one yes: one code, and no fault for the other',
  async () => {
    const { gatewayUrl, ana } = await startWorld({ database: 'postgres' })
    const clientId = String((await register(gatewayUrl)).body['client_id'])
    const resource = `${gatewayUrl}/servers/books/mcp`
    const visitor = createVisitor(gatewayUrl)
    await visitor.decide(authorizationRequest(gatewayUrl, { clientId, resource }).address, ana)
    const sent: Sent[][] = []
    for (let round = 0; round < rounds; round += 1) {
      const page = await visitor.open(authorizationRequest(gatewayUrl, { clientId, resource }).address)
      const fields = { ...hiddenFields(page.text, new URL(page.url).pathname), answer: 'allow' }
      const say = async (): Promise<Sent> => {
        const headers = { cookie: visitor.cookiesFor(page.url), origin: gatewayUrl }
        const said = await send(page.url, { method: 'POST', headers, body: new URLSearchParams(fields) })
        if (said.location === '') return said
        const on = new URL(said.location, gatewayUrl).href
        return send(on, { headers: { cookie: visitor.cookiesFor(on) } })
      }
      sent.push(await Promise.all([say(), say(), say(), say()]))
    }
    const hasCode = ({ location }: Sent) => location.startsWith(nativeRedirect) && location.includes('code=')
    expect(sent.map((each) => each.filter(hasCode).length)).toEqual(Array.from({ length: rounds }, () => 1))
    const others = new Set(sent.flat().flatMap((one) => (hasCode(one) ? [] : [one.status])))
    expect([...others].filter((status) => status !== 400 && status !== 404)).toEqual([])
  },
  mostMs,
)

test(
  'of those who redeem one code at the same moment one is given tokens: nobody who loses takes them from the winner',
  async () => {
    const { first, post, end } = await startNodes({})
    onTestFinished(end)
    const { gatewayUrl, ana } = first
    const visitor = createVisitor(gatewayUrl)
    const clientId = String((await register(gatewayUrl)).body['client_id'])
    const given: number[] = []
    for (let round = 0; round < 2 * rounds; round += 1) {
      const held = await obtainCode(gatewayUrl, ana, { visitor, clientId })
      const fields = {
        grant_type: 'authorization_code',
        client_id: clientId,
        code: held.code,
        code_verifier: held.verifier,
        redirect_uri: held.redirectUri,
      }
      const redeem = (node: number) => post(node, { path: '/oauth/token', fields })
      const answers = await Promise.all([redeem(0), redeem(1), redeem(0), redeem(1)])
      given.push(answers.filter(({ status }) => status === 200).length)
    }
    expect(given).toEqual(Array.from({ length: 2 * rounds }, () => 1))
  },
  mostMs,
)
