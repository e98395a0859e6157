/**
 * Ben's agent holds restricted data and has met what strangers wrote. It tries to be somebody who has not: by a call that was
 * opened before and goes on after, by a program that acts for Ben and then for itself, by a gateway that was killed right
 * after the answer, and by two nodes at the same moment.
 */
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import { proves } from '../proves.ts'
import { canary, classified, startTrifecta, thirdLeg } from '../world/flow/trifecta.ts'
import { callTool, modern } from '../world/messages.ts'
import { obtainTokens } from '../world/oauth/client.ts'
import { addExchangingClient } from '../world/oauth/exchange.ts'
import { startProgram } from '../world/program.ts'
import { runCastellan } from '../world/running-castellan.ts'
import { startRecordingUpstream } from '../world/servers/recording-upstream.ts'
import { saying } from '../world/servers/telling-server.ts'
import { publishPolicy } from '../world/step-up/approvals.ts'

/** Two gateways and four servers start in each. */
const patienceMs = 90_000

type Json = Record<string, unknown>

const launcher = fileURLToPath(new URL('../../bin/castellan.js', import.meta.url))

const isPassed = { status: 200, body: { result: { content: [{ type: 'text' }] } } }

function isRefused({ body }: { body: Json }): boolean {
  return body['result'] === undefined && body['error'] !== undefined
}

const tool = (name: string, more: Json = {}) => {
  const sent = modern({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {}, ...more } })
  const meta = (sent.message['params'] as Json)['_meta'] as Json
  meta['io.modelcontextprotocol/clientCapabilities'] = { elicitation: { form: {} } }
  return sent
}

proves(
  'FLO-1',
  'a call that was opened before asks, and what it is answered with does not go out',
  async () => {
    const question = {
      method: 'elicitation/create',
      params: {
        mode: 'form',
        message: 'What do you know?',
        requestedSchema: { type: 'object', properties: { text: { type: 'string' } } },
      },
    }
    const trifecta = await startTrifecta({
      reply: ({ method, params }) => {
        if (method !== 'tools/call') return undefined
        if (params['inputResponses'] !== undefined) return saying('thanks')
        return { result: { resultType: 'input_required', inputRequests: { more: question }, requestState: 'state' } }
      },
    })
    const { world, ben, servers } = trifecta
    const mints = [ben.mint('sink'), ben.mint('crm'), ben.mint('web')] as const
    const [sink, crm, web] = await Promise.all(mints)
    const goOn = (result: Json, text: string) => {
      const inputResponses = { more: { action: 'accept', content: { text } } }
      return world.post({
        token: sink,
        upstream: 'sink',
        ...tool('post', { inputResponses, requestState: result['requestState'] }),
      })
    }
    const open = async () => {
      const answer = await world.post({ token: sink, upstream: 'sink', ...tool('post') })
      expect(answer).toMatchObject({ status: 200, body: { result: { resultType: 'input_required' } } })
      return answer.body['result'] as Json
    }
    expect(await goOn(await open(), 'hello')).toMatchObject(isPassed)
    const opened = await open()
    expect(await world.post({ token: web, upstream: 'web', ...tool('fetch') })).toMatchObject(isPassed)
    expect(await world.post({ token: crm, upstream: 'crm', ...tool('customer') })).toMatchObject(isPassed)
    const before = servers.sink.asked.length
    expect(isRefused(await goOn(opened, canary))).toBe(true)
    expect(servers.sink.asked).toHaveLength(before)
    expect(trifecta.leaked()).toEqual([])
  },
  patienceMs,
)

proves(
  'FLO-2',
  'a program that read for a person sends nothing out for itself, and the other way round',
  async () => {
    const trifecta = await startTrifecta()
    const { world, ben, servers } = trifecta
    const account = { name: 'agents', purpose: 'works for people', owner: 'ana', roles: ['clerk'] }
    const made = await world.ana.api('POST', '/service-accounts', account)
    expect(made.status).toBe(201)
    const personId = String(made.body['id'])
    const client = await addExchangingClient(world, ['/mcp'], { name: 'agents client', personId })
    const resource = `${world.gatewayUrl}/mcp`
    const tokens = await obtainTokens(world.gatewayUrl, ben, { resource })
    const own = await client.own(resource)
    const { body } = await client.exchange(tokens.accessToken, {
      actor_token: own,
      actor_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    })
    const forBen = String(body['access_token'])
    const call = (token: string, name: string) => world.post({ token, upstream: '/mcp', ...tool(name) })
    expect(await call(forBen, 'sink__post')).toMatchObject(isPassed)
    expect(await call(own, 'sink__post')).toMatchObject(isPassed)
    expect(await call(forBen, 'crm__customer')).toMatchObject(isPassed)
    expect(await call(own, 'web__fetch')).toMatchObject(isPassed)
    const before = servers.sink.asked.length
    // WHY: the program has both, whoever it asks for; Ben has met only the one.
    expect(isRefused(await call(own, 'sink__post'))).toBe(true)
    expect(isRefused(await call(forBen, 'sink__post'))).toBe(true)
    expect(servers.sink.asked).toHaveLength(before)
    expect(await call(tokens.accessToken, 'sink__post')).toMatchObject(isPassed)
  },
  patienceMs,
)

proves(
  'FLO-2',
  'on two nodes at once, nothing that was sent before the answer holds it, and nothing is sent after',
  async () => {
    const trifecta = await startTrifecta({ database: 'postgres' })
    const { world, ben, servers } = trifecta
    const second = await world.secondNode()
    const there = await second.mint(ben.sessionToken(), 'sink')
    const [crm, web] = [await ben.mint('crm'), await ben.mint('web')]
    expect(await world.post({ token: web, upstream: 'web', ...tool('fetch') })).toMatchObject(isPassed)
    const send = (text: string) =>
      world.post({
        token: there,
        upstream: 'sink',
        gatewayUrl: second.gatewayUrl,
        ...tool('post', { arguments: { text } }),
      })
    const reading = world.post({ token: crm, upstream: 'crm', ...tool('customer') })
    const racing = Array.from({ length: 10 }, (_, n) => send(`blind ${n}`))
    expect(await reading).toMatchObject(isPassed)
    const after = await Promise.all(Array.from({ length: 5 }, () => send(canary)))
    expect(after.every(isRefused)).toBe(true)
    await Promise.all(racing)
    expect(JSON.stringify(servers.sink.asked)).not.toContain(canary)
  },
  patienceMs,
)

proves(
  'FLO-2',
  'killed right after the answer, it comes back knowing what was met',
  async () => {
    const castellan = await runCastellan()
    onTestFinished(() => castellan.end())
    const { ana, gatewayUrl, env, program } = castellan
    const tokens: Record<string, string> = {}
    const servers = {
      crm: await startRecordingUpstream(),
      web: await startRecordingUpstream(),
      sink: await startRecordingUpstream(),
    }
    for (const [name, { url }] of Object.entries(servers)) {
      tokens[name] = await castellan.addUpstream(name, url)
      const classification = classified[name as keyof typeof servers]
      expect((await ana.api('PUT', `/upstreams/${name}/classification`, classification)).status).toBe(200)
    }
    await publishPolicy(ana, thirdLeg)
    const call = async (name: string): Promise<Json> => {
      const headers = {
        authorization: `Bearer ${tokens[name]}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      }
      const body = JSON.stringify(callTool('echo', 'hello'))
      return (await (
        await fetch(`${gatewayUrl}/servers/${name}/mcp`, { method: 'POST', headers, body })
      ).json()) as Json
    }
    expect(await call('sink')).toHaveProperty('result')
    expect(await call('web')).toHaveProperty('result')
    expect(await call('crm')).toHaveProperty('result')
    process.kill(program.pid, 'SIGKILL')
    await program.ended
    const again = startProgram(process.execPath, [launcher, 'up'], { env })
    onTestFinished(async () => void (await again.stop()))
    await again.waitFor(/^\{.*"event":"ready".*\}$/m)
    expect(await call('sink')).not.toHaveProperty('result')
    expect(servers.sink.calls('tools/call')).toHaveLength(1)
  },
  patienceMs,
)

for (const method of ['resources/list', 'prompts/list', 'subscriptions/listen']) {
  proves(
    'FLO-1',
    `who was told by strangers in an answer to ${method}, and by no call, sends nothing out`,
    async () => {
      const trifecta = await startTrifecta()
      const { world, ben, servers } = trifecta
      const mints = [ben.mint('sink'), ben.mint('crm'), ben.mint('web')] as const
      const [sink, crm, web] = await Promise.all(mints)
      const send = () => world.post({ token: sink, upstream: 'sink', ...tool('post') })
      const ask = (asked: string, params: Json = {}) => {
        const sent = modern({ jsonrpc: '2.0', id: 1, method: asked, params })
        const signal = AbortSignal.timeout(2_000)
        return world.post({ token: web, upstream: 'web', ...sent, signal }).catch(() => undefined)
      }
      expect(await world.post({ token: crm, upstream: 'crm', ...tool('customer') })).toMatchObject(isPassed)
      await ask('server/discover')
      await ask('tools/list')
      expect(await send()).toMatchObject(isPassed)
      await ask(method, method === 'subscriptions/listen' ? { notifications: { resourceSubscriptions: [] } } : {})
      const before = servers.sink.asked.length
      expect(isRefused(await send())).toBe(true)
      expect(servers.sink.asked).toHaveLength(before)
    },
    patienceMs,
  )
}
