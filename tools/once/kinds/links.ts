/** Links that let somebody in once, and the second administrator's yes to one. */
import { oneTimeCode } from '../../../test/world/one-time-code.ts'
import { createPageClient } from '../../../test/world/pages/page-client.ts'
import type { Answer, Person } from '../../../test/world/people.ts'
import type { Answered } from '../nodes.ts'
import type { Kind } from '../race.ts'
import { headersOf, type Stage } from '../stage.ts'

/** WHY: ten recovery codes are hashed for each request that comes first to a link. */
const onePerNode = 1

function given({ status, body }: Pick<Answer, 'status' | 'body'>): Record<string, unknown> {
  if (status >= 300 || status === 0) throw new Error(`a race was not prepared: ${status} ${JSON.stringify(body)}`)
  return body
}

function idOf({ nodes }: Stage, name: string): Promise<string> {
  return nodes.first.ana.api('GET', '/people').then(({ body }) => {
    const people = body['items'] as { id: string; name: string }[]
    return people.find((person) => person.name === name)?.id ?? ''
  })
}

function invitation({ nodes }: Stage): Kind {
  const { ana } = nodes.first
  let guests = 0
  return {
    name: 'invitation link',
    weight: 0.4,
    perNode: onePerNode,
    isWon: ({ status }) => status === 200,
    async prepare() {
      const name = `guest-${guests++}`
      const token = String(given(await ana.api('POST', '/people', { name, roles: [] }))['token'])
      const json = { token, name, password: `correct horse battery ${name}` }
      const chosen = given(await nodes.post(0, { to: 'admin', path: '/api/v1/enrolments/choose', json }))
      const code = oneTimeCode(String(chosen['secret']), Date.now())
      const path = '/api/v1/enrolments/finish'
      return { send: (node) => nodes.post(node, { to: 'admin', path, json: { token, code } }) }
    },
  }
}

/** Each request proves another recovery code, so that only the link is in the way of the second. */
async function resetLink(stage: Stage, person: Person): Promise<Kind> {
  const { nodes, gatewayUrl } = stage
  const id = await idOf(stage, person.name)
  const browser = createPageClient(gatewayUrl)
  const form = await browser.tokenOf('/recover', '/recover')
  const headers = headersOf(browser, gatewayUrl)
  const isWon = ({ status, text }: Answered): boolean => status === 200 && text.includes('Your password is set')
  return {
    name: 'reset link',
    weight: 0.6,
    perNode: onePerNode,
    isWon,
    async prepare() {
      await stage.renewRecoveryCodes(person)
      const asked = { kind: 'password-lost', reason: 'a race' }
      const { link } = given(await nodes.first.ana.api('POST', `/people/${id}/resets`, asked)) as {
        link: { url: string }
      }
      const key = link.url.split('#')[1] ?? ''
      const password = 'four walls and one gate'
      return {
        send(node, at) {
          const code = person.recoveryCodes[at] ?? ''
          return nodes.post(node, { path: '/recover', headers, fields: { form, key, code, password } })
        },
      }
    },
  }
}

/** Two administrators let a third in who lost everything: the second one's yes, at both nodes. */
async function resetApproval(stage: Stage, second: Person, third: Person): Promise<Kind> {
  const { nodes, database } = stage
  const id = await idOf(stage, third.name)
  const people = database.query
  const kept = await people.selectFrom('people').select('password_hash').where('id', '=', id).executeTakeFirstOrThrow()
  return {
    name: 'approval of a reset',
    weight: 8,
    isWon: ({ status, body }) => status === 200 && body['link'] !== null && body['link'] !== undefined,
    async prepare() {
      await people.updateTable('people').set(kept).where('id', '=', id).execute()
      const asked = { kind: 'factors-lost', reason: 'a race' }
      const { reset } = given(await nodes.first.ana.api('POST', `/people/${id}/resets`, asked)) as {
        reset: { id: string }
      }
      const headers = { authorization: `Bearer ${second.sessionToken()}` }
      const path = `/api/v1/resets/${reset.id}/approve`
      return { send: (node) => nodes.post(node, { to: 'admin', path, json: {}, headers }) }
    },
  }
}

export async function linkKinds(stage: Stage): Promise<readonly Kind[]> {
  return [
    invitation(stage),
    await resetLink(stage, await stage.join('rita')),
    await resetApproval(stage, await stage.join('ben', ['admin']), await stage.join('cleo', ['admin'])),
  ]
}
