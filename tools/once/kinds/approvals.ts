/** An approval of one call: the same call made several times at once, of which one uses the approval up. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Answer } from '../../../test/world/people.ts'
import { startProgram } from '../../../test/world/program.ts'
import { publishPolicy } from '../../../test/world/step-up/approvals.ts'
import type { Answered } from '../nodes.ts'
import type { Kind } from '../race.ts'
import type { Stage } from '../stage.ts'

const callPath = '/servers/treasury/mcp'
const upstreamProgram = fileURLToPath(new URL('../../kill/upstream.ts', import.meta.url))
const policy = `
@id("treasury")
@remedy("approval")
@approvers("treasurer")
forbid (principal, action in Castellan::Action::"tools:call", resource)
when { resource.upstream == "treasury" };
`

function given({ status, body }: Pick<Answer, 'status' | 'body'>): Record<string, unknown> {
  if (status >= 300 || status === 0) throw new Error(`a race was not prepared: ${status} ${JSON.stringify(body)}`)
  return body
}

/** A call that passed. */
function hasPassed({ status, body }: Answered): boolean {
  return status === 200 && body['result'] !== undefined
}

function idIn({ text }: Answered): string {
  const [, id] = /"remedy":\{"id":"([A-Za-z0-9_-]{43})"/.exec(text) ?? []
  if (id === undefined) throw new Error(`no approval was asked for: ${text}`)
  return id
}

export async function approvalKinds(stage: Stage): Promise<{ kinds: readonly Kind[]; close(): void }> {
  const { nodes } = stage
  const { ana } = nodes.first
  const record = mkdtempSync(join(tmpdir(), 'castellan-once-'))
  const arrived = join(record, 'arrived')
  const upstream = startProgram(process.execPath, [upstreamProgram, arrived])
  const [, port = ''] = await upstream.waitFor(/^listening on (\d+)$/m)
  await nodes.first.addUpstream('treasury', `http://127.0.0.1:${port}/mcp`)
  const clerk = [{ permissions: ['servers:use', 'tools:call'], resources: ['treasury', 'treasury/*'] }]
  given(await ana.api('PUT', '/roles/clerk', { grants: clerk }))
  given(
    await ana.api('PUT', '/roles/treasurer', {
      grants: [{ permissions: ['approvals:write'], resources: ['castellan'] }],
    }),
  )
  await publishPolicy(ana, policy)
  const person = await stage.join('carla', ['clerk'])
  const approver = await stage.join('theo', ['treasurer'])
  const headers = { authorization: `Bearer ${await person.mint('treasury')}` }
  let calls = 0
  /** What the server saw: a call may be lost with its node, and never arrives twice. */
  const refuseTwice = (): void => {
    const lines = existsSync(arrived) ? readFileSync(arrived, 'utf8').split('\n').slice(0, -1) : []
    if (new Set(lines).size < lines.length) throw new Error(`a call came twice with one approval: ${lines.join()}`)
  }
  const kind: Kind = {
    name: 'approval of one call',
    weight: 2,
    isWon: hasPassed,
    async prepare() {
      const params = { name: 'echo', arguments: { text: `payment ${calls++}` } }
      const json = { jsonrpc: '2.0', id: 1, method: 'tools/call', params }
      const send = async (node: number): Promise<Answered> => {
        const answered = await nodes.post(node, { path: callPath, json, headers })
        refuseTwice()
        return answered
      }
      // WHY: those who lost were asked to have their calls approved, which wait, and no more than ten may.
      await stage.database.query.deleteFrom('remedy_asks').where('state', '=', 'waiting').execute()
      const id = idIn(await send(0))
      given(await approver.api('POST', `/approvals/${id}/approve`, { reason: 'a race' }))
      return { send }
    },
  }
  return {
    kinds: [kind],
    close() {
      void upstream.stop().then(() => rmSync(record, { recursive: true, force: true }))
    },
  }
}
