/** A fresh factor for one call: the same call made several times at once, of which one uses the proof up. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Answer } from '../../../test/world/people.ts'
import { startProgram } from '../../../test/world/program.ts'
import type { Answered } from '../nodes.ts'
import type { Kind } from '../race.ts'
import type { Stage } from '../stage.ts'

const callPath = '/servers/vault/mcp'
const upstreamProgram = fileURLToPath(new URL('../../kill/upstream.ts', import.meta.url))

function given({ status, body }: Pick<Answer, 'status' | 'body'>): Record<string, unknown> {
  if (status >= 300 || status === 0) throw new Error(`a race was not prepared: ${status} ${JSON.stringify(body)}`)
  return body
}

/** A call that passed. */
function hasPassed({ status, body }: Answered): boolean {
  return status === 200 && body['result'] !== undefined
}

function linkIn({ text }: Answered): string {
  const [, path] = /"url":"https?:\/\/[^/"]+(\/step-up\/[A-Za-z0-9_-]{43})"/.exec(text) ?? []
  if (path === undefined) throw new Error(`no proof was asked for: ${text}`)
  return path
}

export async function stepUpKinds(stage: Stage): Promise<{ kinds: readonly Kind[]; close(): void }> {
  const { nodes } = stage
  const { ana } = nodes.first
  const record = mkdtempSync(join(tmpdir(), 'castellan-once-'))
  const arrived = join(record, 'arrived')
  const upstream = startProgram(process.execPath, [upstreamProgram, arrived])
  const [, port = ''] = await upstream.waitFor(/^listening on (\d+)$/m)
  await nodes.first.addUpstream('vault', `http://127.0.0.1:${port}/mcp`)
  const grants = [
    { permissions: ['servers:use'], resources: ['vault'] },
    { permissions: ['tools:call'], resources: ['vault/tools/echo'], stepUp: true },
  ]
  given(await ana.api('PUT', '/roles/opener', { grants }))
  const person = await stage.join('stella', ['opener'])
  const browser = await stage.browserOf(person)
  const headers = { authorization: `Bearer ${await person.mint('vault')}` }
  let calls = 0
  /** What the server saw: a call may be lost with its node, and never arrives twice. */
  const refuseTwice = (): void => {
    const lines = existsSync(arrived) ? readFileSync(arrived, 'utf8').split('\n').slice(0, -1) : []
    if (new Set(lines).size < lines.length) throw new Error(`a call came twice with one proof: ${lines.join()}`)
  }
  const kind: Kind = {
    name: 'proof for one call by step-up',
    weight: 2,
    isWon: hasPassed,
    async prepare() {
      const params = { name: 'echo', arguments: { text: `call ${calls++}` } }
      const json = { jsonrpc: '2.0', id: 1, method: 'tools/call', params }
      const send = async (node: number): Promise<Answered> => {
        const answered = await nodes.post(node, { path: callPath, json, headers })
        refuseTwice()
        return answered
      }
      // WHY: those who lost were asked to prove their calls, which wait, and no more than ten may.
      await stage.database.query.deleteFrom('step_ups').where('state', '=', 'pending').execute()
      const path = linkIn(await send(0))
      await stage.clearThrottle()
      const fields = { password: person.password, code: await stage.freshCode(person), 'answer-is': 'prove' }
      const { status, text } = await browser.submit(path, fields, path)
      if (!text.includes('<h1>Proved</h1>')) throw new Error(`a race was not prepared: ${status} ${text}`)
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
