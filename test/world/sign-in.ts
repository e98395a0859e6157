import { request } from 'node:http'
import type { World } from './castellan.ts'
import { callAdmin, type Person } from './people.ts'

export interface Tried {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly retryAfter: string | undefined
}

/** Signs in from one of the loopback addresses, as people at different places would. */
export function signInFrom(world: World, from: string, body: Record<string, string>): Promise<Tried> {
  const { hostname, port } = new URL(world.adminUrl)
  return new Promise((resolve, reject) => {
    const headers = { host: `${hostname}:${port}`, 'content-type': 'application/json' }
    const options = { host: '127.0.0.1', port, localAddress: from, method: 'POST', path: '/api/v1/sign-in', headers }
    const sent = request(options, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += String(chunk)))
      response.on('end', () => {
        const parsed = JSON.parse(text) as Record<string, unknown>
        resolve({ status: response.statusCode ?? 0, body: parsed, retryAfter: response.headers['retry-after'] })
      })
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(body))
  })
}

/** Signs in once per code, all at the same time. @returns how many succeeded */
export async function countSignIns(world: World, person: Person, codes: readonly string[]): Promise<number> {
  const { name, password } = person
  const answers = codes.map((code) =>
    callAdmin(world.adminUrl, { method: 'POST', path: '/sign-in', body: { name, password, code } }),
  )
  return (await Promise.all(answers)).filter(({ status }) => status === 200).length
}
